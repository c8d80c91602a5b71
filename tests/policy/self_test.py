#!/usr/bin/env python3
"""Each check accepts a good tree and refuses a bad one: a check that cannot fail is no check."""

import unittest

import checks

GOOD = {
    "src/base/atomic.hpp": "#pragma once\n#include <atomic>\nusing a = std::atomic<int>;\n",
    "src/base/current.cpp": "static thread_local int x;  // std::atomic\n",
    "src/sched/pick.hpp": '#pragma once\n#include <weft/fiber.hpp>\n#include "base/atomic.hpp"\n',
    "src/base/clock.hpp": '#pragma once\n#include "machine.hpp"\n',
    "src/base/x86_64/machine.hpp": "#pragma once\n",
    "src/runtime.cpp": '#include "sched/pick.hpp"\n#include <sys/mman.h>\n',
    "src/base/plain/a.hpp": "#pragma once\n",
    "src/base/chaos/a.hpp": "#pragma once\n",
    "src/io/b.hpp": '#pragma once\n#include "a.hpp"\n',
    "src/io/c.cpp": "#include <weft/io.hpp>\nint x = errno;  // EAGAIN\n",
    "include/weft/fiber.hpp": "#pragma once\n#include <thread>\n#include <weft/io.hpp>\n",
    "include/weft/io.hpp": "#pragma once\n#include <sys/uio.h>\n",
    "dev": "#!/bin/sh\n",
    "examples/guides/a.cpp": "auto f = [](int x) {};\n",
    "examples/guides/.clang-format": "",
    "docs/guides/a.md": "<!-- examples/guides/a.cpp -->\n```cpp\nauto f = [](int x) {};\n```\n",
    "docs/a.md": "[up](../dev#x) [web](https://example.org) [folder](../src/base)\n",
}

BAD = {
    checks.layers: [
        {"src/base/a.hpp": '#include "sched/pick.hpp"\n'},
        {"src/base/a.hpp": '#include "missing.hpp"\n'},
        {"src/runtime.hpp": "", "src/net/a.hpp": '#include "runtime.hpp"\n'},
        {"src/util/a.hpp": "#pragma once\n"},
        {"src/base/aarch64/frames.hpp": "#pragma once\n"},
        {"src/sched/a.hpp": '#pragma once\n#include "machine.hpp"\n'},
        {"src/base/plain/hooks.hpp": "", "src/base/a.hpp": '#include "hooks.hpp"\n'},
    ],
    checks.public_headers: [
        {"include/weft/a.hpp": "#include <sys/epoll.h>\n"},
        {"include/weft/a.hpp": "#include <sys/uio.h>\n"},
        {"include/weft/a.hpp": '#include "base/atomic.hpp"\n'},
        {"include/weft/a.hpp": "#include <weft/missing.hpp>\n"},
        {"include/weft/a.hpp": "#include <fmt/format.h>\n"},
    ],
    checks.file_size: [
        {"src/base/a.cpp": "\n" * 301},
        {"benchmarks/run.py": "\n" * 301},
        {"tests/unit/a.cpp": "x" * 101},
    ],
    checks.atomics: [
        {"src/queue/a.cpp": "std::atomic<int> x;\n"},
        {"src/base/chaos/chaos.cpp": "std::atomic<int> x;\n"},
        {"src/queue/a.cpp": "std::atomic_ref r(x);\n"},
        {"src/queue/a.cpp": "#include <atomic>\n"},
        {"src/queue/a.cpp": "__atomic_load_n(&x, 0);\n"},
    ],
    checks.thread_locals: [
        {"src/io/a.cpp": "/* fine: */ static thread_local int x;\n"},
        {"include/weft/a.hpp": "extern __thread int x;\n"},
    ],
    checks.thread_errno: [
        {"src/io/a.cpp": "#include <cerrno>\nint x = errno;\n"},
        {"src/io/a.cpp": '#include "base/errno.hpp"\nint x = *__errno_location();\n'},
    ],
    checks.environment: [
        {"src/io/a.cpp": 'const char* x = std::getenv("X");\n'},
        {"src/io/a.cpp": 'const char* x = ::getenv("X");\n'},
    ],
    checks.conditionals: [
        {"src/io/a.cpp": "#if X\n#endif\n" * 7},
        {"src/io/a.hpp": "int x;\n"},
    ],
    checks.memory_orders: [
        {"src/io/a.cpp": "x.store(1, std::memory_order_release);\n"},
        {"src/io/a.cpp": "// too far\n" + "\n" * 20 + "x.load(std::memory_order::acquire);\n"},
    ],
    checks.links: [{"README.md": "see [the plan](docs/plan.md)\n"}],
    checks.guides: [
        {"examples/guides/a.cpp": "int y;\n"},
        {"examples/guides/b.cpp": ""},
        {"docs/b.md": "<!-- src/missing.cpp -->\n```cpp\n```\n"},
        {"docs/guides/b.md": "```cpp\nint x;\n```\n"},
    ],
    checks.top_level: [{"notes.txt": ""}, {"scripts/a.sh": ""}],
}

RELOCATIONS = """
File: libweft.a(current.cpp.o)
0000000000000004  0000000400000017 R_X86_64_TPOFF32       0000000000000000 header + 0
File: libweft.a(pick.cpp.o)
0000000000000004  000000040000000a R_X86_64_32            0000000000000000 .debug_str + 8
"""


class checks_refuse(unittest.TestCase):
    def test_a_good_tree_passes(self):
        for check in checks.TREE_CHECKS:
            with self.subTest(check.__name__):
                self.assertEqual([], list(check(GOOD)))

    def test_bad_trees_are_refused(self):
        self.assertEqual(set(BAD), set(checks.TREE_CHECKS))
        for check, samples in BAD.items():
            for sample in samples:
                with self.subTest(check.__name__, sample=sample):
                    self.assertEqual(1, len(list(check(GOOD | sample))))

    def test_relocations(self):
        check = checks.thread_local_relocations
        self.assertEqual([], list(check(RELOCATIONS)))
        self.assertEqual(1, len(list(check(""))))
        for kind in ("TPOFF32", "GOTTPOFF", "TLSGD", "TLSLD", "GOTPC32_TLSDESC", "TPOFF64"):
            bad = RELOCATIONS.replace("R_X86_64_32  ", f"R_X86_64_{kind} ")
            with self.subTest(kind):
                self.assertEqual(1, len(list(check(bad))))


if __name__ == "__main__":
    unittest.main()
