"""The workloads over HTTP on the loopback interface: wrk or a program of ours against a server."""

import functools
import os
import re
import tempfile

from .load import wrk
from .programs import Failure, run_json
from .servers import Server, check_answers
from .stats import ratio
from .workload import Workload

SERVER_CPU, CLIENT_CPU = {0}, {1}


def weft(context, workers, *more, **options):
    return Server(context.build, "http_server", "--workers", workers, *more, **options)


def bare(context, loops, *more, **options):
    return Server(context.build, "http_server_epoll", "--loops", loops, *more, **options)


def cpu_per_request(start, connections):
    """The server has CPU 0 for itself and wrk has CPU 1."""

    def measure(context):
        with start(context, 1, cpus=SERVER_CPU) as server:
            check_answers(server.port)
            wrk(server.url(), connections, 1, cpus=CLIENT_CPU)
            before = server.cpu_seconds()
            load = wrk(server.url(), connections, context.few(3, 1), cpus=CLIENT_CPU)
            seconds = server.cpu_seconds() - before
        return {**load, "cpu_seconds": seconds, "cpu_us": seconds / load["requests"] * 1e6}

    return measure


def cpu_rows(connections, row):
    return Workload(
        f"http_cpu_{connections}",
        {"weft": cpu_per_request(weft, connections), "bare": cpu_per_request(bare, connections)},
        {row: lambda r: ratio(r["weft"]["cpu_us"], r["bare"]["cpu_us"])})


def traced_cpu_per_request(connections):
    """With all that WEFT_TRACE costs: the thread that writes is the server's, and so is the file."""

    def measure(context):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace.json")
            traced = functools.partial(weft, wrapper=("env", f"WEFT_TRACE={path}", "WEFT_TRACE_LIMIT=1G"))
            figures = cpu_per_request(traced, connections)(context)
            figures["bytes"] = os.path.getsize(path) / figures["requests"]
            with open(path) as file:
                figures["drops"] = sum("events dropped" in line for line in file)
        if figures["bytes"] < 50 or figures["drops"]:
            raise Failure(f"the trace is not of all requests: {figures}")
        return figures

    return measure


def tracing(connections=100):
    return Workload(
        "http_traced",
        {"traced": traced_cpu_per_request(connections), "weft": cpu_per_request(weft, connections)},
        {"HTTP CPU a request, traced / not":
            lambda r: ratio(r["traced"]["cpu_us"], r["weft"]["cpu_us"])})


def requests_per_second(start):
    """Two workers and wrk share both CPUs."""

    def measure(context):
        with start(context, 2) as server:
            wrk(server.url(), 100, 1, threads=2)
            return wrk(server.url(), 100, context.few(3, 1), threads=2)

    return measure


def throughput():
    return Workload(
        "http_throughput",
        {"weft": requests_per_second(weft), "bare": requests_per_second(bare)},
        {"HTTP requests/s, 2 workers / 2 bare loops":
            lambda r: ratio(r["weft"]["requests_per_second"], r["bare"]["requests_per_second"])})


def calls_counted_by_strace(path, requests):
    """Calls a request by name. Sleeping until a signal comes is the main thread's, not the load's."""
    calls = {}
    with open(path) as table:
        for line in table:
            row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if row and row[2] != "total":
                calls[row[2]] = int(row[1]) / requests
    if not calls:
        raise Failure("strace counted nothing")
    return calls


def system_calls(start):
    """Counted by the server itself, undisturbed; then by strace, which slows it, as a check."""

    def measure(context):
        seconds = context.few(3, 1)
        with start(context, 1, "--stats", cpus=SERVER_CPU) as server:
            load = wrk(server.url(), 100, seconds, cpus=CLIENT_CPU)
        counted = server.stats()["system_calls"]
        calls = {name: n / load["requests"] for name, n in counted.items()}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "calls")
            with start(context, 1, cpus=SERVER_CPU,
                       wrapper=("strace", "-f", "-c", "-o", path)) as server:
                load = wrk(server.url(), 100, seconds, cpus=CLIENT_CPU)
            traced = calls_counted_by_strace(path, load["requests"])
        return {"calls": calls, "total": sum(calls.values()),
                "strace_calls": traced, "strace_total": sum(traced.values())}

    return measure


def counting():
    return Workload(
        "http_calls",
        {"weft": system_calls(weft), "bare": system_calls(bare)},
        {
            "HTTP system calls a request - bare loop":
                lambda r: r["weft"]["total"] - r["bare"]["total"],
            "HTTP epoll_ctl + futex a request":
                lambda r: sum(r["weft"]["calls"].get(n, 0) for n in ("epoll_ctl", "futex_wait", "futex_wake")),
        },
        rounds=2)


def one_connection(start):
    def measure(context):
        with start(context, 1, cpus=SERVER_CPU) as server:
            return run_json(context.build, "bench_load_http_pingpong", "--port", server.port,
                            "--size", context.few(20_000, 2_000), cpus=CLIENT_CPU)

    return measure


def pingpong():
    return Workload(
        "http_pingpong",
        {"weft": one_connection(weft), "bare": one_connection(bare)},
        {"HTTP ping-pong p50 / bare loop":
            lambda r: ratio(r["weft"]["p50_us"], r["bare"]["p50_us"])})


def soak():
    def measure(context):
        with weft(context, 2) as server:
            return run_json(context.build, "bench_load_http_soak", "--port", server.port,
                            "--size", 10_000, "--seconds", context.few(30, 3), allow=(0, 1))

    def lost(r):
        return r["weft"]["errors"] + r["weft"]["lost"] + r["weft"]["size"] - r["weft"]["alive"]

    return Workload("http_soak", {"weft": measure},
                    {"10,000 connections, 30 s: errors + lost": lost}, rounds=1)


def workloads():
    return [
        cpu_rows(100, "HTTP CPU a request, 100 connections / bare loop"),
        cpu_rows(1000, "HTTP CPU a request, 1,000 connections / bare loop"),
        tracing(),
        throughput(),
        counting(),
        pingpong(),
        soak(),
    ]
