#!/usr/bin/env python3
"""machine_code.py OBJDUMP PROGRAM: what the compiler made of the code that changes threads.

A run shows that nothing went wrong; this, that nothing was left to luck. Of a program for x86-64
that links weft, it demands:
- Thread-local variables are addressed in current(), which is called, not inlined, and in the short
  ways of a mutex, from which no switch may be reached.
- No function from which a switch may be reached asks libc or the C++ runtime for what belongs to
  the kernel thread: those functions are declared const, so the answer may be used after the switch.
- A function that contains a switch keeps nothing below rsp, where the switch pushes.
"""

import re
import subprocess
import sys

# What belongs to the thread, by functions that a compiler takes for const. Not pthread_self: weft asks
# it in the bodies of its threads only, and std::stop_source once, before it calls anybody.
OF_THE_THREAD = {"__errno_location", "__cxa_get_globals"}
CURRENT = "weft::detail::current()"
SHORT_WAYS = {"weft::detail::own_word(unsigned long*)", "weft::detail::disown_word(unsigned long*)"}
# The mistake made on purpose.
ON_PURPOSE = "wrong_by_glibc("


def functions(report):
    """{name: [instruction]}"""
    found = {}
    body = []
    for line in report.split("\n"):
        if match := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            body = found.setdefault(match[1], [])
        elif match := re.match(r"\s+[0-9a-f]+:\s+(\S.*)", line):
            body.append(match[1])
    return found


def goes_to(instruction):
    """The function that a call or jump names, or None."""
    match = re.match(r"(?:call|j\w+)\s+[0-9a-f]+ <(.*?)(?:\+0x[0-9a-f]+)?>$", instruction)
    return match[1].removesuffix("@plt") if match else None


def violations(code):
    targets = {name: {goes_to(i) for i in body} - {None, name} for name, body in code.items()}
    switching = {name for name in code if "weft_switch" in targets[name]}
    reaching = set(switching)
    while more := {name for name in code if targets[name] & reaching} - reaching:
        reaching |= more

    if not switching:
        yield "nothing switches: is this a program that links weft?"
    if sum(goes_to(i) == CURRENT for body in code.values() for i in body) < 20:
        yield "current() is hardly ever called: was it inlined?"
    for name, body in sorted(code.items()):
        may_address = name == CURRENT or (name in SHORT_WAYS and name not in reaching)
        for instruction in body:
            if "%fs:" in instruction and "%fs:0x28" not in instruction and not may_address:
                yield f"{name} addresses a thread-local variable: {instruction}"
        if name in switching:
            for instruction in body:
                if re.search(r"-0x[0-9a-f]+\(%rsp", instruction):
                    yield f"{name} switches, and has a red zone: {instruction}"
        if name in reaching and ON_PURPOSE not in name:
            for asked in sorted(targets[name] & OF_THE_THREAD):
                yield f"{name} may reach a switch, and asks {asked}"


def main():
    report = subprocess.run([sys.argv[1], "--disassemble", "--demangle", "--no-show-raw-insn",
                             sys.argv[2]], check=True, capture_output=True, text=True).stdout
    found = list(violations(functions(report)))
    for line in found:
        print(line)
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
