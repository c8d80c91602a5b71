"""trace_check.py FILE [SLACK]: fails unless FILE is a trace that a viewer can show; says what is in it.

The file must be JSON as it is. Slices of one thread must lie side by side or within one another,
but for SLACK microseconds, and each run that a wake led to must have that wake. Prints one line for
each kind of event: "PHASE NAME key=value ...", without ids and times, and how often it came.
"""
import collections
import json
import re
import sys

events = json.load(open(sys.argv[1], encoding="utf-8"))
# Of two readings of the clocks, through which times are told. Half a microsecond on a processor.
slack = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
problems = []
slices = collections.defaultdict(list)
produced, consumed = set(), set()
names = {}
pids = {event["pid"] for event in events}
counts = collections.Counter()
for event in events:
    if event["ph"] == "X":
        if event["dur"] < 0:
            problems.append(f"negative duration: {event}")
        if event["dur"] > 0:
            slices[event["tid"]].append((event["ts"], event["ts"] + event["dur"], event["name"]))
    if event.get("flow_out"):
        produced.add(event["bind_id"])
    if event.get("flow_in"):
        consumed.add(event["bind_id"])
    if event["ph"] == "M":
        if event["name"] == "thread_name":
            names[event["tid"]] = event["args"]["name"]
    args = " ".join(f"{key}={value}" for key, value in event.get("args", {}).items())
    line = f"{event['ph']} {event['name']} {args}"
    line = re.sub(r" runtime \d+", " runtime N", re.sub(r"#\d+", "#N", line))
    if event["ph"] == "C" or event["name"] == "thread_sort_index":
        line = re.sub(r"=\d+", "=N", line)
    counts[re.sub(r"fd \d+", "fd N", line).strip()] += 1
for tid, all_of_thread in slices.items():
    until, last = 0, ""
    for begin, end, name in sorted(all_of_thread, key=lambda s: (s[0], -s[1])):
        if begin < until - slack and end > until + slack:
            problems.append(f"thread {tid}: {name} at {begin} overlaps {last}, until {until}")
        if end > until:
            until, last = end, name
if len(pids) != 1:
    problems.append(f"several processes: {pids}")
# A trace that has lost events, by drops or at its limit, may have lost wakes.
lossy = any(e["name"].startswith(("events dropped", "the trace ends here")) for e in events)
if (missing := consumed - produced) and not lossy:
    problems.append(f"{len(missing)} runs without the wake that led to them: {sorted(missing)[:3]}")
for tid in {event["tid"] for event in events if event["ph"] in "XB"} - set(names):
    problems.append(f"thread {tid} has no name")
for line, count in sorted(counts.items()):
    print(f"{line} x{count}")
print("\n".join(problems) or "sound")
sys.exit(bool(problems))
