"""Finding the programs that were built, and running one: its result is the JSON line it prints."""

import json
import os
import resource
import subprocess
import time
from pathlib import Path


class Failure(Exception):
    """A program is missing or went wrong. Costs its rows, not the run."""


def find(build, name):
    for folder, _, files in os.walk(build):
        if name in files and os.access(path := Path(folder) / name, os.X_OK):
            return str(path)
    raise Failure(f"{name} is not built")


def prepare_child(cpus):
    """For preexec_fn: pins the child, and gives it all the file descriptors there are."""

    def prepare():
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if cpus is not None:
            os.sched_setaffinity(0, cpus)

    return prepare


def cpu_seconds(pid):
    """User and system time of all threads of a live process, ended ones included, in nanoseconds'
    resolution: its CPU clock, which clock_getcpuclockid(3) would name so."""
    return time.clock_gettime_ns((~pid << 3) | 2) * 1e-9


def run(command, cpus=None, timeout=120, allow=(0,)):
    """Runs to the end; returns what it printed."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
            preexec_fn=prepare_child(cpus))
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{Path(command[0]).name} did not end within {timeout} s") from None
    if done.returncode not in allow:
        why = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        ended = f"exit {done.returncode}" if done.returncode >= 0 else f"signal {-done.returncode}"
        raise Failure(f"{Path(command[0]).name}: {ended}: {why}")
    return done.stdout


def last_json(text, who):
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except json.JSONDecodeError:
                break
    raise Failure(f"{who} printed no line of JSON")


def run_json(build, name, *arguments, **options):
    command = [find(build, name), *map(str, arguments)]
    return last_json(run(command, **options), name)


def run_google(build, name, *arguments, **options):
    """A Google Benchmark program: CPU nanoseconds an item, by benchmark name."""
    text = run([find(build, name), "--benchmark_format=json", *arguments], **options)
    try:
        found = json.loads(text[text.index("{"):])["benchmarks"]
    except (ValueError, KeyError):
        raise Failure(f"{name} printed no JSON") from None
    return {b["name"]: 1e9 / b["items_per_second"] for b in found}
