"""The workloads of synchronisation objects."""

from .fibers import ONE_CPU, program, time_per_op
from .programs import run_google
from .stats import ratio
from .workload import Workload


def mutex_uncontended():
    def both(context):
        time = context.few("0.3", "0.05")
        return run_google(context.build, "bench_google_mutex", f"--benchmark_min_time={time}",
                          cpus=ONE_CPU)

    return Workload(
        "mutex_uncontended", {"google": both},
        {"mutex uncontended / std::mutex":
            lambda r: ratio(r["google"]["weft_mutex"], r["google"]["std_mutex"])})


def mutex(workers, row):
    arguments = ("--size", 4, "--workers", workers)
    return Workload(
        f"mutex_{workers}",
        {system: program(f"bench_{system}_mutex", *arguments, "--ops", 8_000_000,
                         cpus=ONE_CPU if workers == 1 else None,
                         quick=(*arguments, "--ops", 400_000))
            for system in ("weft", "go")},
        {row: time_per_op("weft", "go")})


def semaphore():
    return Workload(
        "semaphore",
        {system: program(f"bench_{system}_semaphore", "--ops", 100_000, quick=("--ops", 10_000))
            for system in ("weft", "pthread")},
        {"semaphore, fiber and thread / condition_variable, 2 threads":
            time_per_op("weft", "pthread")})


def workloads():
    return [
        mutex_uncontended(),
        mutex(1, "mutex, 4 fibers, 1 worker / Go"),
        mutex(2, "mutex, 4 fibers, 2 workers / Go"),
        semaphore(),
    ]
