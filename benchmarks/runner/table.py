"""The table at the end: what was reached, beside what had to be."""


def figure(value, unit):
    """Ratios far below one are easier to judge as 1/N."""
    if unit == "x" and 0 < value < 0.02:
        return f"1/{1 / value:,.0f}"
    if unit == "x":
        return f"{value:.3f}"
    if value == int(value):
        return f"{int(value):,} {unit}".rstrip()
    return f"{value:.3f} {unit}".rstrip()


def limit(value, bar):
    return ("≥ " if bar.at_least else "≤ ") + figure(value, bar.unit)


def line_of(bar, summary, error):
    if summary is None:
        return [bar.row, limit(bar.must, bar), limit(bar.aim, bar), "-", "-", f"MISSED: {error}"]
    spread = f"{figure(summary.low, bar.unit)} .. {figure(summary.high, bar.unit)}"
    return [
        bar.row,
        limit(bar.must, bar),
        limit(bar.aim, bar),
        figure(summary.median, bar.unit),
        spread if summary.rounds > 1 else "one run",
        bar.verdict(summary.median),
    ]


def missed(lines):
    return [line for line in lines if line[-1].startswith("MISSED")]


def render(lines):
    head = ["row", "must", "aim", "measured", "spread", "verdict"]
    rows = [head, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head) - 1)]

    def text(row):
        left = row[0].ljust(widths[0])
        middle = [row[i].rjust(widths[i]) for i in range(1, len(widths))]
        return "  ".join([left, *middle, row[-1]])

    rule = "-" * min(160, max(len(text(row)) for row in rows))
    return "\n".join([text(head), rule, *map(text, lines)])
