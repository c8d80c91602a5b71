"""wrk, and what it says."""

import re

from .programs import Failure, run


def parse_wrk(text):
    def number(pattern):
        found = re.search(pattern, text)
        return int(found[1]) if found else 0

    requests = number(r"(\d+) requests in")
    if requests == 0:
        raise Failure("wrk got no answer")
    wrong = number(r"Non-2xx or 3xx responses: (\d+)")
    broken = [number(rf"{kind} (\d+)") for kind in ("connect", "read", "write")]
    if wrong or sum(broken):
        raise Failure(f"wrk saw {wrong} wrong answers and {sum(broken)} broken connections")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return {
        "requests": requests,
        "requests_per_second": float(rate[1]),
        "timeouts": number(r"timeout (\d+)"),
    }


def wrk(url, connections, seconds, threads=1, cpus=None):
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    return parse_wrk(run(command, cpus=cpus, timeout=seconds + 30))
