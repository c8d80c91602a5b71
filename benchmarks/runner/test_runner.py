"""Run as: python3 -m unittest discover -s benchmarks -t benchmarks"""

import unittest

from runner.bars import BARS, Bar
from runner.load import parse_wrk
from runner.programs import Failure, last_json, run
from runner.stats import order_of_round, ratio, summarize
from runner.table import figure, line_of, missed, render
from runner import fibers, serving, sync
from runner.workload import Workload, per_op


class Statistics(unittest.TestCase):
    def test_median_and_spread(self):
        s = summarize([3, 1, 10])
        self.assertEqual((s.median, s.low, s.high, s.rounds), (3, 1, 10, 3))
        self.assertEqual(summarize([1, 2]).median, 1.5)

    def test_no_rounds_is_an_error(self):
        with self.assertRaises(ValueError):
            summarize([])

    def test_a_ratio_needs_a_denominator(self):
        self.assertEqual(ratio(1, 4), 0.25)
        with self.assertRaises(ValueError):
            ratio(1, 0)

    def test_order_alternates(self):
        self.assertEqual([order_of_round("ab", n) for n in range(3)],
                         [["a", "b"], ["b", "a"], ["a", "b"]])


class Bars(unittest.TestCase):
    def test_upper_limit(self):
        bar = Bar("r", must=1.2, aim=1.05)
        self.assertEqual([bar.verdict(v) for v in (1.05, 1.06, 1.2, 1.21)],
                         ["ok, aim", "ok", "ok", "MISSED"])

    def test_lower_limit(self):
        bar = Bar("r", must=1.9, aim=1.97, at_least=True)
        self.assertEqual([bar.verdict(v) for v in (2, 1.95, 1.89)], ["ok, aim", "ok", "MISSED"])

    def test_every_bar_is_measured_once_and_every_row_has_a_bar(self):
        rows = [row for w in fibers.workloads() + sync.workloads() + serving.workloads() for row in w.rows]
        self.assertEqual(sorted(rows), sorted(bar.row for bar in BARS))


class Table(unittest.TestCase):
    def test_figures(self):
        self.assertEqual(figure(1 / 1400, "x"), "1/1,400")
        self.assertEqual(figure(0.25, "x"), "0.250")
        self.assertEqual(figure(1000, "VMAs"), "1,000 VMAs")
        self.assertEqual(figure(4.85, "KiB"), "4.850 KiB")
        self.assertEqual(figure(0, ""), "0")

    def test_a_missing_figure_is_missed_and_says_why(self):
        line = line_of(Bar("r", 1, 1), None, "wrk is not installed")
        self.assertEqual(line[-1], "MISSED: wrk is not installed")
        self.assertEqual(missed([line]), [line])

    def test_the_median_is_judged(self):
        bar = Bar("r", must=0.5, aim=0.45)
        line = line_of(bar, summarize([0.4, 0.48, 0.9]), None)
        self.assertEqual(line[3:], ["0.480", "0.400 .. 0.900", "ok"])
        self.assertEqual(missed([line]), [])

    def test_columns_line_up(self):
        lines = [line_of(Bar("a" * n, 1, 1), summarize([n]), None) for n in (3, 30)]
        text = render(lines).splitlines()
        self.assertEqual(text[2].index("≤"), text[3].index("≤"))


class Programs(unittest.TestCase):
    def test_the_last_line_of_json_counts(self):
        self.assertEqual(last_json('listening\n{"a": 1}\n{"a": 2}\n', "p"), {"a": 2})

    def test_no_json_is_a_failure(self):
        for text in ("", "listening\n", "{broken\n"):
            with self.assertRaises(Failure):
                last_json(text, "p")

    def test_failures_name_the_program(self):
        with self.assertRaisesRegex(Failure, "false: exit 1"):
            run(["false"])
        with self.assertRaisesRegex(Failure, "sleep did not end"):
            run(["sleep", "5"], timeout=0.1)
        with self.assertRaisesRegex(Failure, "no-such-program is not installed"):
            run(["no-such-program"])


class Load(unittest.TestCase):
    GOOD = "  155555 requests in 3.01s, 12.3MB read\nRequests/sec:  51680.40\n"

    def test_wrk(self):
        self.assertEqual(parse_wrk(self.GOOD),
                         {"requests": 155555, "requests_per_second": 51680.4, "timeouts": 0})

    def test_wrong_answers_are_a_failure(self):
        for bad in ("  Non-2xx or 3xx responses: 3\n",
                    "  Socket errors: connect 0, read 2, write 0, timeout 0\n"):
            with self.assertRaises(Failure):
                parse_wrk(self.GOOD + bad)
        with self.assertRaises(Failure):
            parse_wrk("")


class Workloads(unittest.TestCase):
    def test_rows_are_figures_of_one_round(self):
        w = Workload("w", {}, {"r": lambda r: per_op(r["a"]) / per_op(r["b"])})
        w.finish_round({"a": {"seconds": 1, "ops": 10}, "b": {"seconds": 1, "ops": 5}})
        w.finish_round({"a": {"seconds": 2, "ops": 10}, "b": {"seconds": 1, "ops": 5}})
        self.assertEqual(w.values, {"r": [0.5, 1.0]})

    def test_systems_take_turns_in_alternating_order(self):
        w = Workload("w", {"a": None, "b": None}, {}, rounds=2)
        self.assertEqual([w.systems_of_round(n) for n in range(3)], [["a", "b"], ["b", "a"], []])

    def test_a_failing_peer_costs_only_the_rows_that_need_it(self):
        def fails(_):
            raise Failure("go is not installed")

        w = Workload("w", {"a": lambda _: {"kib": 4}, "go": fails},
                     {"memory": lambda r: r["a"]["kib"],
                      "ratio": lambda r: r["a"]["kib"] / r["go"]["kib"]})
        for number in range(2):
            ran = {s: w.run_system(s, None) for s in w.systems_of_round(number)}
            w.finish_round({s: f for s, f in ran.items() if f is not None})
        self.assertEqual(w.summary("memory")[0].rounds, 2)
        self.assertEqual(w.summary("ratio"), (None, "go is not installed"))
        self.assertEqual(w.systems_of_round(2), ["a"])

    def test_a_row_never_measured_says_so(self):
        self.assertEqual(Workload("w", {}, {"r": None}).summary("r"), (None, "not measured"))


if __name__ == "__main__":
    unittest.main()
