"""The workloads without a network: switches, yields, spawning, memory, processors."""

from .programs import run_google, run_json
from .stats import ratio
from .workload import Workload, per_op

ONE_CPU = {1}


def program(name, *arguments, cpus=None, quick=None):
    """A system of a workload: runs one program; `quick` replaces the arguments of a quick run."""

    def measure(context):
        given = quick if context.quick and quick is not None else arguments
        return run_json(context.build, name, *given, cpus=cpus)

    return measure


def time_per_op(system, peer):
    return lambda results: ratio(per_op(results[system]), per_op(results[peer]))


def raw_switch():
    def both(context):
        time = context.few("0.3", "0.05")
        return run_google(context.build, "bench_google_raw_switch",
                          f"--benchmark_min_time={time}", cpus=ONE_CPU)

    return Workload(
        "raw_switch", {"google": both},
        {"raw switch / fcontext":
            lambda r: ratio(r["google"]["weft_switch"], r["google"]["boost_fcontext"])})


def generators():
    def all_of(context):
        time = context.few("0.3", "0.05")
        return run_google(context.build, "bench_google_generator",
                          f"--benchmark_min_time={time}", cpus=ONE_CPU)

    def of(one, other):
        return lambda r: ratio(r["google"][one], r["google"][other])

    return Workload(
        "generator", {"google": all_of},
        {"generator, an element / Boost.Coroutine2": of("weft_generator", "boost_coroutine2"),
         "generator, in a tree of depth 12 / stackless coroutines":
             of("weft_tree", "stackless_tree")})


def yields(size, peer, row):
    arguments = ("--size", size, "--ops", 5_000_000)
    quick = ("--size", size, "--ops", 500_000)
    return Workload(
        f"yield_{size}",
        {system: program(f"bench_{system}_yield", *arguments, cpus=ONE_CPU, quick=quick)
            for system in ("weft", peer)},
        {row: time_per_op("weft", peer)})


def sleepers():
    size, few = ("--size", 1_000_000), ("--size", 50_000)
    return Workload(
        "sleepers",
        {system: program(f"bench_{system}_sleepers", *size, cpus=ONE_CPU, quick=few)
            for system in ("weft", "go")},
        {"1,000,000 sleepers: arm + cancel / Go": time_per_op("weft", "go")})


def skynet(workers):
    """The root's tree is summed up several times by each program: the fastest counts."""
    arguments = ("--workers", workers)
    count = "1 worker" if workers == 1 else "2 workers"

    def of(name, *more):
        return program(name, *arguments, *more, cpus=ONE_CPU if workers == 1 else None,
                       quick=(*arguments, *more, "--size", 10_000))

    return Workload(
        f"skynet_{workers}",
        {"scope": of("bench_weft_skynet", "--by", "scope"),
         "fork_join": of("bench_weft_skynet", "--by", "fork_join"),
         "go": of("bench_go_skynet")},
        {f"skynet, scopes, {count} / Go": time_per_op("scope", "go"),
         f"skynet, fork_join, {count} / Go": time_per_op("fork_join", "go")})


def spawn():
    """Kernel threads are left unpinned: it is what their users do, and it is their better case."""
    return Workload(
        "spawn",
        {
            "weft": program("bench_weft_spawn_join", "--size", 5_000_000,
                            quick=("--size", 500_000)),
            "weft_many": program("bench_weft_spawn_many", "--size", 10_000, "--rounds", 200,
                                  quick=("--size", 10_000, "--rounds", 20)),
            "pthread": program("bench_pthread_spawn_join", "--size", 20_000,
                               quick=("--size", 5_000)),
        },
        {
            "spawn+join one by one / std::thread": time_per_op("weft", "pthread"),
            "spawn 10,000 then join / std::thread": time_per_op("weft_many", "pthread"),
        })


def available_mib():
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(l.split()[1]) for l in lines if l.startswith("MemAvailable:")) // 1024


def after_touching(measure, mib):
    """Cold is the process, not the machine: see touch_memory.cpp."""

    def touch_and_measure(context):
        run_json(context.build, "bench_load_touch_memory", "--mib", mib)
        return measure(context)

    return touch_and_measure


def parked():
    """Each run is a process of its own, so each creation is a cold one."""
    size = ("--size", 1_000_000)
    mib = min(6 * 1024, available_mib() * 3 // 4)  # what the larger of the two takes, and some
    return Workload(
        "parked",
        {system: after_touching(program(f"bench_{system}_parked", *size), mib)
            for system in ("weft", "go")},
        {
            "1,000,000 parked: memory each":
                lambda r: (r["weft"]["rss_kib"] + r["weft"]["page_table_kib"]) / r["weft"]["size"],
            "1,000,000 parked: mappings": lambda r: r["weft"]["mappings"],
            "1,000,000 parked: creation / Go": time_per_op("weft", "go"),
        })


def idle():
    return Workload(
        "idle",
        {"weft": program("bench_weft_idle", "--size", 10_000, "--seconds", 10,
                         quick=("--size", 10_000, "--seconds", 2))},
        {"10,000 parked, idle 10 s: CPU": lambda r: r["weft"]["cpu_ms"]},
        rounds=1)


def cpu_scaling():
    def workers(n):
        return program("bench_weft_cpu_scaling", "--workers", n, "--size", 64,
                       quick=("--workers", n, "--size", 16))

    return Workload(
        "cpu_scaling", {"1 worker": workers(1), "2 workers": workers(2)},
        {"CPU-bound fibers: 2 workers / 1": time_per_op("1 worker", "2 workers")})


def channels():
    """One worker on one processor, as Go's with GOMAXPROCS=1; two on any."""

    def on(name, workers, ops):
        cpus = ONE_CPU if workers == 1 else None
        return {system: program(f"bench_{system}_{name}", "--workers", workers, "--ops", ops,
                                cpus=cpus, quick=("--workers", workers, "--ops", ops // 10))
                for system in ("weft", "go")}

    for workers in (1, 2):
        row = f"rendezvous hop, {'one worker' if workers == 1 else 'two workers'} / Go"
        yield Workload(f"rendezvous_{workers}", on("rendezvous", workers, 2_000_000),
                       {row: time_per_op("weft", "go")})
    for workers in (1, 2):
        row = f"buffered channel (128), item, {'one worker' if workers == 1 else 'two workers'} / Go"
        yield Workload(f"buffered_{workers}", on("buffered", workers, 5_000_000),
                       {row: time_per_op("weft", "go")})
    yield Workload("select", on("select", 1, 2_000_000),
                   {"select of 4 channels, one ready / Go": time_per_op("weft", "go")})


def forks(work, row):
    def on(system, workers):
        return program(f"bench_{system}_forks", "--work", work, "--workers", workers, "--rounds", 5,
                       quick=("--work", work, "--workers", workers, "--rounds", 2))

    count = {1: "1 worker", 2: "2 workers"}
    rows = {f"{row}, {count[n]} / TBB": time_per_op(f"weft {n}", f"tbb {n}") for n in count}
    if work == "fib":
        rows[f"{row}: 2 workers / 1"] = time_per_op("weft 1", "weft 2")
    return Workload(
        f"forks_{work}", {f"{system} {n}": on(system, n) for n in count for system in ("weft", "tbb")},
        rows)


def workloads():
    return [
        raw_switch(),
        generators(),
        yields(2, "boost", "yield, 2 fibers / Boost.Fiber"),
        yields(1000, "boost", "yield, 1,000 fibers / Boost.Fiber"),
        yields(100_000, "go", "yield, 100,000 fibers / Go"),
        spawn(),
        parked(),
        cpu_scaling(),
        *channels(),
        skynet(1),
        skynet(2),
        sleepers(),
        forks("fib", "fork_join fib(32)"),
        forks("nqueens", "fork_join nqueens(12)"),
        forks("quicksort", "fork_join quicksort of 10^7"),
        forks("uts", "fork_join UTS T1"),
        idle(),
    ]
