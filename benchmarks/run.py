#!/usr/bin/env python3
"""Measures weft beside what else there is, and prints a table of what was reached.

Systems take turns, round by round, on the same CPUs; a row's figure is the median of its rounds,
each of which compares systems that ran within seconds of each other. A row that misses its bar says
so; the exit status stays 0 unless --strict is given."""

import argparse
import datetime
import fnmatch
import json
import os
import platform
import sys
from pathlib import Path

from runner import fibers, serving, sync
from runner.bars import BARS
from runner.table import line_of, missed, render
from runner.workload import Context


def say(text):
    print(text, file=sys.stderr, flush=True)


def options():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=root / "build/release", type=Path)
    parser.add_argument("--results", default=root / "build/bench-results", type=Path,
                        help="where the raw figures go")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", metavar="PATTERN", action="append",
                        help="workloads to run, e.g. 'http_*'; may be given again")
    parser.add_argument("--quick", action="store_true", help="short and rough: does it all work?")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a row says MISSED")
    parser.add_argument("--list", action="store_true", help="list the workloads and their rows")
    return parser.parse_args()


def chosen(workloads, patterns):
    return [w for w in workloads
            if not patterns or any(fnmatch.fnmatch(w.name, p) for p in patterns)]


def run_round(workload, number, context):
    results = {}
    for system in workload.systems_of_round(number):
        say(f"round {number + 1}: {workload.name}: {system}")
        figures = workload.run_system(system, context)
        if figures is None:
            say(f"  failed: {workload.errors[system]}")
        else:
            results[system] = figures
    if results:
        workload.finish_round(results)


def table_of(workloads):
    by_row = {row: workload for workload in workloads for row in workload.rows}
    return [line_of(bar, *by_row[bar.row].summary(bar.row))
            for bar in BARS if bar.row in by_row]


def keep(folder, workloads, lines, arguments):
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now().astimezone()
    path = folder / now.strftime("%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps({
        "when": now.isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
        "rounds": arguments.rounds,
        "quick": arguments.quick,
        "table": lines,
        "workloads": {w.name: {"errors": w.errors, "rounds": w.raw, "rows": w.values}
                      for w in workloads},
    }, indent=1) + "\n")
    return path


def main():
    arguments = options()
    arguments.rounds = 1 if arguments.quick else max(1, arguments.rounds)
    workloads = chosen(fibers.workloads() + sync.workloads() + serving.workloads(), arguments.only)
    if not workloads:
        sys.exit(f"no workload matches {' '.join(arguments.only)}: see --list")
    if arguments.list:
        for w in workloads:
            print(f"{w.name}: {', '.join(w.systems)}", *w.rows, sep="\n    ")
        return 0

    context = Context(str(arguments.build), arguments.quick)
    for number in range(arguments.rounds):
        for workload in workloads:
            run_round(workload, number, context)

    lines = table_of(workloads)
    path = keep(arguments.results, workloads, lines, arguments)
    print(render(lines))
    print(f"{len(lines) - len(missed(lines))} of {len(lines)} bars met; raw figures: {path}")
    if arguments.quick:
        print("A quick run: its figures are rough.")
    return 1 if arguments.strict and missed(lines) else 0


if __name__ == "__main__":
    sys.exit(main())
