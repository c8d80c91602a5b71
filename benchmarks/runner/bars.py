"""What must be reached, and what is aimed at: one bar for each row of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    row: str
    must: float
    aim: float
    at_least: bool = False  # most bars are upper limits
    unit: str = "x"  # "x": a ratio of two systems; else the unit of an absolute figure

    def verdict(self, value):
        """`ok, aim` where the aim is reached, `ok` where only the bar is, `MISSED` where neither is."""
        reached = (lambda limit: value >= limit) if self.at_least else (lambda limit: value <= limit)
        if reached(self.aim):
            return "ok, aim"
        return "ok" if reached(self.must) else "MISSED"


BARS = [
    Bar("raw switch / fcontext", 0.5, 0.45),
    Bar("generator, an element / Boost.Coroutine2", 0.6, 0.4),
    Bar("generator, in a tree of depth 12 / stackless coroutines", 0.4, 0.2),
    Bar("yield, 2 fibers / Boost.Fiber", 0.25, 0.15),
    Bar("yield, 1,000 fibers / Boost.Fiber", 0.35, 0.2),
    Bar("yield, 100,000 fibers / Go", 0.3, 0.2),
    Bar("spawn+join one by one / std::thread", 1 / 1000, 1 / 1400),
    Bar("spawn 10,000 then join / std::thread", 1 / 800, 1 / 1400),
    Bar("mutex uncontended / std::mutex", 1.1, 0.9),
    Bar("mutex, 4 fibers, 1 worker / Go", 1.0, 0.8),
    Bar("mutex, 4 fibers, 2 workers / Go", 0.6, 0.4),
    Bar("semaphore, fiber and thread / condition_variable, 2 threads", 1.0, 0.6),
    Bar("1,000,000 parked: memory each", 5, 4.85, unit="KiB"),
    Bar("1,000,000 parked: mappings", 1000, 60, unit="VMAs"),
    Bar("1,000,000 parked: creation / Go", 1.5, 1.0),
    Bar("rendezvous hop, one worker / Go", 0.5, 0.25),
    Bar("rendezvous hop, two workers / Go", 0.6, 0.4),
    Bar("buffered channel (128), item, one worker / Go", 0.7, 0.4),
    Bar("buffered channel (128), item, two workers / Go", 0.7, 0.4),
    Bar("select of 4 channels, one ready / Go", 0.7, 0.4),
    Bar("skynet, scopes, 1 worker / Go", 0.12, 0.06),
    Bar("skynet, scopes, 2 workers / Go", 0.12, 0.06),
    Bar("skynet, fork_join, 1 worker / Go", 0.04, 0.02),
    Bar("skynet, fork_join, 2 workers / Go", 0.04, 0.02),
    Bar("1,000,000 sleepers: arm + cancel / Go", 0.7, 0.4),
    Bar("HTTP CPU a request, 100 connections / bare loop", 1.12, 1.05),
    Bar("HTTP CPU a request, 1,000 connections / bare loop", 1.12, 1.05),
    Bar("HTTP CPU a request, traced / not", 1.05, 1.02),
    Bar("HTTP requests/s, 2 workers / 2 bare loops", 0.9, 0.97, at_least=True),
    Bar("HTTP system calls a request - bare loop", 0.1, 0.02, unit="calls"),
    Bar("HTTP epoll_ctl + futex a request", 0.01, 0.01, unit="calls"),
    Bar("HTTP ping-pong p50 / bare loop", 1.2, 1.05),
    Bar("10,000 connections, 30 s: errors + lost", 0, 0, unit=""),
    Bar("10,000 parked, idle 10 s: CPU", 20, 5, unit="ms"),
    Bar("CPU-bound fibers: 2 workers / 1", 1.9, 1.97, at_least=True),
    Bar("fork_join fib(32), 1 worker / TBB", 0.25, 0.12),
    Bar("fork_join fib(32), 2 workers / TBB", 0.25, 0.12),
    Bar("fork_join fib(32): 2 workers / 1", 1.9, 1.97, at_least=True),
    Bar("fork_join nqueens(12), 1 worker / TBB", 0.8, 0.6),
    Bar("fork_join nqueens(12), 2 workers / TBB", 0.8, 0.6),
    Bar("fork_join quicksort of 10^7, 1 worker / TBB", 0.8, 0.6),
    Bar("fork_join quicksort of 10^7, 2 workers / TBB", 0.8, 0.6),
    Bar("fork_join UTS T1, 1 worker / TBB", 0.8, 0.6),
    Bar("fork_join UTS T1, 2 workers / TBB", 0.8, 0.6),
]


def bar_of(row):
    return next(bar for bar in BARS if bar.row == row)
