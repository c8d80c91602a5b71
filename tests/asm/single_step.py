"""Run by gdb on the victim in single_step_test.cpp: steps through every instruction of the switch.

At each one it unwinds the whole stack, which must end where the stack begins, and compares the
registers that gdb computes for the caller with those that the caller really had when it left, or
really has when it goes on. That is what "exact CFI" means.
"""

import os
import shlex
import subprocess
import tempfile
import time

import gdb

# What a switch keeps: frame pointer, stack pointer, where to go on. LANDING has the last at first.
KEPT, LANDING = {
    "i386:x86-64": (["rbp", "rsp", "rip"], "r8"),
    "aarch64": (["x29", "sp", "pc"], "x30"),
}[gdb.selected_inferior().architecture().name()]
FP, SP, PC = KEPT
BOTTOMS = {"weft_context_entry", "_start", "main"}


def value(frame, register):
    return int(frame.read_register(register).cast(gdb.lookup_type("unsigned long")))


def function():
    """The symbol that the pc is in, debug information or not."""
    text = gdb.execute("info symbol $pc", to_string=True)
    return "" if text.startswith("No symbol") else text.split()[0]


def names(frame):
    found = []
    while frame is not None and len(found) < 200:
        found.append(frame.name())
        reason = frame.unwind_stop_reason()
        frame = frame.older()
    return found, reason


def fail(message):
    print("single_step: FAILED at", hex(value(gdb.newest_frame(), PC)), message)
    gdb.execute("info registers general")
    gdb.execute("backtrace")
    gdb.execute("kill")
    gdb.execute("quit 1")


class Switch:
    """From the first instruction of one switch to its landing."""

    def __init__(self):
        first = gdb.newest_frame()
        self.left = {r: value(first, r) for r in KEPT}
        self.left[PC] = value(first, LANDING)
        self.computed = []  # for each instruction: pc, and the registers of the caller
        self.steps = 0

    def look(self):
        frame = gdb.newest_frame()
        found, reason = names(frame)
        if found[-1] not in BOTTOMS or len(found) < 2:
            fail(f"the stack ends with {found}")
        if found[-1] == "weft_context_entry" and reason not in (
                gdb.FRAME_UNWIND_OUTERMOST, gdb.FRAME_UNWIND_NO_REASON):
            fail(f"unwinding stopped because: {gdb.frame_stop_reason_string(reason)}")
        if function() in ("weft_switch", "weft_switch_away"):
            caller = frame.older()
            self.computed.append((value(frame, PC), {r: value(caller, r) for r in KEPT}))

    def run(self):
        away = function() == "weft_switch_away"
        while True:
            # Of a stack that is left for good there is nothing to unwind.
            if not (away and value(gdb.newest_frame(), SP) == self.left[SP]):
                self.look()
            gdb.execute("stepi", to_string=True)
            self.steps += 1
            here = function()
            if here == "weft_context_entry" or here not in ("weft_switch", "weft_switch_away",
                                                            "step_after"):
                break
        # Now at the landing, with what the resumed side really has.
        frame = gdb.newest_frame()
        came = {r: value(frame, r) for r in KEPT}
        on_old_stack = True
        for pc, computed in self.computed:
            if on_old_stack and computed != self.left:
                on_old_stack = False
            if not on_old_stack and computed != came:
                fail(f"rules at {hex(pc)} give {computed}, left {self.left}, came {came}")
        if on_old_stack:
            fail("the rules never showed the resumed side")
        return self.steps


class Hop:
    """The instructions of weft_hop around a switch: its caller's registers are the same at each."""

    CALLER = ["rbx", "rbp", "rsp", "rip", "r12", "r13", "r14", "r15"]

    def run(self):
        callers = set()
        steps = 0
        while function() == "weft_hop":
            caller = gdb.newest_frame().older()
            callers.add(tuple(value(caller, r) for r in self.CALLER))
            if names(gdb.newest_frame())[0][-1] not in BOTTOMS:
                fail(f"the stack ends with {names(gdb.newest_frame())[0]}")
            gdb.execute("stepi", to_string=True)
            steps += 1
        # Behind it: in weft_switch, or in the caller itself, which has them.
        if function() != "weft_switch":
            callers.add(tuple(value(gdb.newest_frame(), r) for r in self.CALLER))
        if len(callers) != 1:
            fail(f"weft_hop: the rules give {len(callers)} different callers")
        return steps


def start():
    """Runs up to the first switch: here, or in an emulator that gdb talks to."""
    emulator = shlex.split(os.environ.get("WEFT_TEST_EMULATOR", ""))
    if not emulator:
        gdb.execute("run", to_string=True)
        return
    door = os.path.join(tempfile.mkdtemp(), "gdb")
    arguments = shlex.split(gdb.execute("show args", to_string=True).split('"')[1])
    # Without pointer authentication: gdb and this emulator do not agree on who strips signatures.
    plain = ["-cpu", "cortex-a72"]
    subprocess.Popen(emulator + plain + ["-g", door, gdb.current_progspace().filename] + arguments,
                     stdout=subprocess.DEVNULL)
    for _ in range(300):
        if os.path.exists(door):
            break
        time.sleep(0.1)
    gdb.execute(f"set sysroot {emulator[emulator.index('-L') + 1]}")
    gdb.execute(f"target remote {door}", to_string=True)
    gdb.execute("continue", to_string=True)


def main():
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    gdb.execute("set backtrace past-main on")
    gdb.execute("set breakpoint pending on")
    gdb.execute("set disable-randomization off")
    gdb.Breakpoint("*weft_switch", internal=True)
    gdb.Breakpoint("*weft_switch_away", internal=True)
    try:
        gdb.Breakpoint("*weft_hop", internal=True)
    except gdb.error:
        pass  # only x86-64 has one
    start()
    switches = steps = 0
    while gdb.selected_inferior().pid != 0:
        if function() == "weft_hop":
            steps += Hop().run()
        switches += 1
        steps += Switch().run()
        if function() == "weft_hop":
            steps += Hop().run()
        gdb.execute("continue", to_string=True)
    print(f"single_step: {switches} switches, {steps} steps, all exact")


try:
    main()
except gdb.error as error:
    print("single_step: could not run:", error)
    gdb.execute("quit 2")
