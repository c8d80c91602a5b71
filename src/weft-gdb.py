"""gdb commands for weft: where every fiber is, in a live process or a core file.

    weft fibers                   one line a fiber: id, state, what it waits for, name, spawn site
    weft fiber ID COMMAND         runs a gdb command, such as bt, where fiber ID is
    weft fiber apply all COMMAND  the same for every fiber

The library carries this text, so gdb may load it by itself; if it says that auto-loading was
declined, type `add-auto-load-safe-path PROGRAM` and load the program again, or
`source PREFIX/share/weft/weft-gdb.py`. It reads weft's own debug information.
"""

import contextlib

import gdb

STARTED, KERNEL_THREAD = 1, 8
ADDRESS_MARK = 1 << 63  # in control_block::site_file
PARKED = 1
FINISHED = 1  # control_block::joiner of a fiber that has ended
WORD = gdb.lookup_type("unsigned long")
FRAME_POINTER = {"i386:x86-64": "rbp", "aarch64": "x29"}  # $sp and $pc gdb has everywhere


def number(value):
    return int(value.cast(WORD))


def plain(atomic):
    """What an atomic holds: a std::atomic, or chaos mode's, which is derived from it."""
    if atomic.type.strip_typedefs().name.startswith("weft::detail::atomic<"):
        atomic = atomic.cast(atomic.type.strip_typedefs().fields()[0].type)
    fields = [f.name for f in atomic.type.strip_typedefs().fields()]
    return atomic["_M_b"]["_M_p"] if "_M_b" in fields else atomic["_M_i"]


def word_at(address):
    return number(gdb.Value(address).cast(WORD.pointer()).dereference())


def owned_by(lock):
    """Who holds it: the lock's first word, see sync/self.hpp and sync/mutex_core.hpp."""
    owner = word_at(lock) & ~1
    if owner in (0, 2):
        return ""
    if owner & 2:
        return ", owned by a kernel thread"
    block = gdb.Value(owner).cast(gdb.lookup_type("weft::detail::control_block").pointer())
    return f", owned by fiber {number(plain(block['serial']))}"


class Fiber:
    def __init__(self, block):
        self.block = block
        self.id = number(plain(block["serial"]))
        self.flags = int(block["flags"])
        self.parked = number(plain(block["word"]["word_"])) & 3 == PARKED
        self.low, self.high = number(block["stk"]["lo"]), number(block["stk"]["hi"])

    def alive(self):
        return (self.id != 0 and not self.flags & KERNEL_THREAD
                and number(plain(self.block["joiner"])) != FINISHED)

    def name(self):
        extras = plain(self.block["extras"])
        return extras["name"].string() if number(extras) else ""

    def site(self):
        file = self.block["site_file"]
        if not number(file):
            return ""
        if number(file) & ADDRESS_MARK:
            return place((number(file) & ~ADDRESS_MARK) - 1)
        line = int(self.block["site_line"])
        return file.string() + (f":{line}" if line else "")

    def state(self, running):
        if self.id in running:
            return f"running on thread {running[self.id].num}"
        if not self.parked:  # one that has not begun may be, for a coroutine
            return "ready" if self.flags & STARTED else "not begun"
        kind = str(self.block["waits_for"]).rsplit("::", 1)[-1]
        on = self.block["waits_on"]
        if kind in ("readable", "writable"):
            return f"parked: fd {number(on)} {kind}"
        if kind == "join":
            other = on.cast(self.block.address.type).dereference()
            return f"parked: join of fiber {number(plain(other['serial']))}"
        if kind in ("mutex", "once"):
            return f"parked: {kind} at {number(on):#x}{owned_by(number(on))}"
        return f"parked: {kind}"

    def saved(self):
        """Where a suspended fiber goes on: stack pointer, frame pointer, address."""
        kept = number(self.block["ctx"]["sp"])
        offsets = gdb.parse_and_eval("'weft::detail::gdb_suspended_frame'")
        sp, fp, pc = (int(offsets[name]) for name in ("sp", "fp", "pc"))
        return kept + sp, word_at(kept + fp), word_at(kept + pc)


def fibers():
    try:
        slab = gdb.parse_and_eval("'weft::detail::(anonymous namespace)::all'")
        chunks = number(plain(slab["chunks"]))
    except gdb.error as error:
        raise gdb.GdbError(f"weft: no fibers here, or no debug information of weft: {error}")
    for i in range(chunks):
        begin, count = slab["chunk"][i]["begin"], number(plain(slab["chunk"][i]["count"]))
        for k in range(count):
            if number(plain(begin[k]["serial"])):
                fiber = Fiber(begin[k])
                if fiber.alive():
                    yield fiber


@contextlib.contextmanager
def selection_kept():
    thread = gdb.selected_thread()
    if thread is None:
        raise gdb.GdbError("weft: no process: `run`, `attach` or load a core file first")
    frame = gdb.selected_frame()
    try:
        yield
    finally:
        thread.switch()
        with contextlib.suppress(gdb.error):  # its registers were changed and put back meanwhile
            frame.select()


def threads_of(all_fibers):
    """id -> the thread that the fiber runs on: the one whose stack pointer is on its stack."""
    stacks = [(f.low, f.high, f.id) for f in all_fibers if f.flags & STARTED]
    found = {}
    with selection_kept():
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            sp = number(gdb.newest_frame().read_register("sp"))
            found.update({id: thread for low, high, id in stacks if low <= sp < high})
    return found


def place(pc):
    where = gdb.find_pc_line(pc)
    if where.symtab:
        return f"{where.symtab.filename}:{where.line}"
    return f"{pc:#x}"


def function(pc):
    text = gdb.execute(f"info symbol {pc:#x}", to_string=True)
    return "??" if text.startswith("No symbol") else text.split(" in section")[0].split(" + ")[0]


def walk(fiber):
    """A backtrace without registers, for core files: frame pointers, which weft's code keeps."""
    _, frame, pc = fiber.saved()
    for level in range(200):
        if pc == 0:
            print("its stack is not in the core file (one that the kernel writes has it)")
            break
        print(f"#{level:<3} {pc:#018x} in {function(pc - 1)} () at {place(pc - 1)}")
        if not fiber.low <= frame < fiber.high:
            break
        frame, pc = word_at(frame), word_at(frame + 8)


def run_there(fiber, command, running):
    if not fiber.flags & STARTED:
        print("not begun")
    elif fiber.id in running:
        with selection_kept():
            running[fiber.id].switch()
            gdb.execute(command)
    elif gdb.selected_inferior().connection.type != "core":
        in_its_registers(fiber, command)
    elif command.split()[0] in ("bt", "backtrace", "where"):
        walk(fiber)
    else:
        raise gdb.GdbError("weft: in a core file only bt works on a fiber that is not running")


def in_its_registers(fiber, command):
    """The thread lends its registers, and has them back whatever happens."""
    with selection_kept():
        gdb.newest_frame().select()
        architecture = gdb.newest_frame().architecture().name()
        names = ("sp", FRAME_POINTER.get(architecture, "fp"), "pc")
        before = [number(gdb.newest_frame().read_register(r)) for r in names]
        try:
            for name, value in zip(names, fiber.saved()):
                gdb.execute(f"set ${name} = {value:#x}", to_string=True)
            gdb.execute(command)
        finally:
            gdb.newest_frame().select()
            for name, value in zip(names, before):
                gdb.execute(f"set ${name} = {value:#x}", to_string=True)


def heading(fiber, running):
    name = fiber.name()
    quoted = f' "{name}"' if name else ""
    site = fiber.site()
    return f"fiber {fiber.id}{quoted} {fiber.state(running)}" + (f", spawned at {site}" if site else "")


class Weft(gdb.Command):
    """Commands for weft's fibers: weft fibers; weft fiber ID COMMAND; weft fiber apply all COMMAND."""

    def __init__(self):
        super().__init__("weft", gdb.COMMAND_STACK, prefix=True)


class Fibers(gdb.Command):
    """Lists every fiber of the process: id, name, state, what it waits for, where it was spawned."""

    def __init__(self):
        super().__init__("weft fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = list(fibers())
        running = threads_of(found)
        for fiber in sorted(found, key=lambda f: f.id):
            print(heading(fiber, running))
        print(f"{len(found)} fibers")


class OneFiber(gdb.Command):
    """weft fiber ID COMMAND: runs a gdb command, such as bt, where that fiber is. ID: as `weft fibers`
    shows, or `apply all`."""

    def __init__(self):
        super().__init__("weft fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split()
        found = list(fibers())
        running = threads_of(found)
        if words[:2] == ["apply", "all"]:
            command = " ".join(words[2:]) or "bt"
            for fiber in sorted(found, key=lambda f: f.id):
                print("\n" + heading(fiber, running))
                run_there(fiber, command, running)
            return
        if not words or not words[0].isdigit():
            raise gdb.GdbError("usage: weft fiber ID COMMAND, or weft fiber apply all COMMAND")
        chosen = [f for f in found if f.id == int(words[0])]
        if not chosen:
            raise gdb.GdbError(f"weft: no fiber {words[0]}: see `weft fibers`")
        run_there(chosen[0], " ".join(words[1:]) or "bt", running)


Weft()
Fibers()
OneFiber()
