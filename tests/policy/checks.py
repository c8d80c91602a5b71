"""The rules of the source tree that a compiler does not know.

A check takes the tree, {path: text} with paths relative to the root, and yields one line for each
violation. These are statements of policy: when a check fails, change the source. self_test.py
feeds each one a tree that it must refuse.
"""

import posixpath
import re

# Lowest first: a file under src/ includes its own folder or those before it. Files that lie in src/
# itself wire all of them together.
LAYERS = "base trace context stack fiber queue sched park time io sync channel task net debug testing".split()

TOP_LEVEL = set(
    ".ci .clang-format .clang-tidy .editorconfig .gitignore CHANGELOG.md CMakeLists.txt "
    "CMakePresets.json LICENSE README.md asm benchmarks cmake dev docs examples include src "
    "tests".split())

STANDARD_HEADERS = set(
    "algorithm any array atomic barrier bit bitset cassert cerrno charconv chrono climits compare "
    "complex concepts condition_variable coroutine cstddef cstdint cstdio cstdlib cstring ctime "
    "deque exception execution filesystem format forward_list fstream functional future "
    "initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map "
    "memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio "
    "regex scoped_allocator semaphore set shared_mutex source_location span sstream stack "
    "stdexcept stop_token streambuf string string_view syncstream system_error thread tuple "
    "type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector "
    "version".split())

# What the POSIX-named calls of <weft/io.hpp> need for their signatures: ssize_t, iovec, sockaddr.
POSIX_HEADERS = {"include/weft/io.hpp": {"poll.h", "sys/socket.h", "sys/types.h", "sys/uio.h"}}

MAX_LINES = 300
MAX_CONDITIONALS = 6

# Variants whose headers any layer may include.
CHAOS_VARIANTS = ("src/base/plain/", "src/base/chaos/")

# The faces of the atomic facade: the real one, the one that the models compile, chaos mode's.
FACADE = {"src/base/atomic.hpp", "src/base/atomic_model.hpp",
          "src/base/model_checker.hpp"} | {
    folder + "atomic_type.hpp" for folder in CHAOS_VARIANTS}

CODE = (".cpp", ".hpp", ".h", ".S")


def code_under(tree, *folders):
    """(path, text) of the C++ and assembler files in these folders."""
    return [(path, text) for path, text in sorted(tree.items())
            if path.endswith(CODE) and path.startswith(tuple(f + "/" for f in folders))]


def without_comments(text):
    """The text with comments and string contents blanked, line by line."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'

    def blank(match):
        lines = "\n" * match.group().count("\n")
        return '""' if match.group()[0] == '"' else lines

    return re.sub(pattern, blank, text, flags=re.DOTALL)


def occurrences(path, text, pattern, message):
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        if re.search(pattern, line):
            yield f"{path}:{number}: {message}"


def includes(text):
    """(line number, '<' or '"', name)"""
    for number, line in enumerate(text.split("\n"), 1):
        if match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            yield number, match[1], match[2]


def variants_of(tree, layer, name):
    """The variants of a layer, if one has a header of that bare name: see cmake/variants.cmake.
    Its siblings, that is: a variant may have variants."""
    inner = [path.rsplit("/", 1) for path in tree
             if re.match(f"src/{layer}/.+/[^/]+$", path) and not path.startswith(CHAOS_VARIANTS)]
    parents = {folder.rsplit("/", 1)[0] for folder, own in inner if own == name}
    return {folder for folder, _ in inner if folder.rsplit("/", 1)[0] in parents}


def layers(tree):
    rank = {name: level for level, name in enumerate(LAYERS)}
    for path, text in code_under(tree, "src"):
        parts = path.split("/")
        own = rank.get(parts[1]) if len(parts) > 2 else len(LAYERS)
        if own is None:
            yield f"{path}: src/{parts[1]} is not a layer; the layers are {', '.join(LAYERS)}"
            continue
        for number, kind, name in includes(text):
            if kind == "<" or name.endswith("_layout.h"):
                continue
            if variants := variants_of(tree, parts[1], name):
                for folder in sorted(variants):
                    if f"{folder}/{name}" not in tree:
                        yield f"{path}:{number}: {folder} has no {name}, which others have"
                continue
            if any(folder + name in tree for folder in CHAOS_VARIANTS):
                for folder in CHAOS_VARIANTS:
                    if folder + name not in tree:
                        yield f"{path}:{number}: {folder} has no {name}, and other variants do"
                continue
            folder = name.split("/")[0]
            if "src/" + name not in tree:
                yield f'{path}:{number}: "{name}" is not a file under src/; name it from there'
            elif "/" in name and rank.get(folder, -1) > own:
                yield f"{path}:{number}: src/{parts[1]} may not include src/{folder}, a higher layer"
            elif "/" not in name and own < len(LAYERS):
                yield f"{path}:{number}: only files in src/ itself may include {name}"


def public_headers(tree):
    for path, text in code_under(tree, "include"):
        for number, kind, name in includes(text):
            own = kind == "<" and name.startswith("weft/")
            if own and "include/" + name not in tree:
                yield f"{path}:{number}: <{name}> is not a public header"
            elif not own and name not in STANDARD_HEADERS | POSIX_HEADERS.get(path, set()):
                yield (f"{path}:{number}: {name}: a public header includes std and <weft/...> "
                       "headers only")


def file_size(tree):
    folders = ("src/", "include/", "asm/", "tests/", "benchmarks/", "examples/", "cmake/")
    for path, text in sorted(tree.items()):
        lines = text.count("\n")
        if lines > MAX_LINES and (path.startswith(folders) or path == "dev"):
            yield f"{path}: {lines} lines, the limit is {MAX_LINES}: usually two ideas"
    for path, text in code_under(tree, "src", "include", "asm", "tests", "benchmarks", "examples"):
        limit = 120 if path.endswith((".S", ".h")) else 100  # assembler has comments to the right
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > limit:
                yield f"{path}:{number}: {len(line)} columns, the limit is {limit}"


def atomics(tree):
    pattern = r"\bstd::atomic|#\s*include\s*<atomic>|\b__atomic_|\b__sync_"
    for path, text in code_under(tree, "src", "include", "asm"):
        if path not in FACADE:
            yield from occurrences(path, text, pattern, "atomics come from base/atomic.hpp")


def thread_locals(tree):
    for path, text in code_under(tree, "src", "include", "asm"):
        if path != "src/base/current.cpp":
            yield from occurrences(path, text, r"\bthread_local\b|\b__thread\b",
                                   "thread-local state lives in src/base/current.cpp")


def thread_errno(tree):
    """glibc's accessor is const: its result may be used after a park, once functions are inlined."""
    own = {"src/base/errno.hpp", "src/base/errno.cpp", "src/base/current.cpp",
           "src/base/model_checker.hpp"}
    for path, text in code_under(tree, "src"):
        names = {name for _, _, name in includes(text)}
        if path not in own and not names & {"base/errno.hpp", "weft/io.hpp"}:
            yield from occurrences(path, text, r"(?<![.>\w])errno\b(?!\.h)",
                                   "errno comes from base/errno.hpp")
        if path not in own:
            yield from occurrences(path, text, r"__errno_location", "errno comes from base/errno.hpp")


def environment(tree):
    """A program with more rights than its caller ignores his settings: base/environment.hpp."""
    for path, text in code_under(tree, "src", "include"):
        if path in FACADE:  # what models compile
            continue
        yield from occurrences(path, text, r"(?:std|::)::getenv|\bgetenv\(",
                               "read settings through environment()")


def conditionals(tree):
    for path, text in code_under(tree, "src", "include"):
        count = len(re.findall(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b", text, flags=re.MULTILINE))
        if count > MAX_CONDITIONALS:
            yield f"{path}: {count} preprocessor conditionals, the limit is {MAX_CONDITIONALS}"
        if path.endswith(".hpp") and "#pragma once" not in text:
            yield f"{path}: no #pragma once"


def memory_orders(tree):
    """An order stronger than relaxed is half of a pair: a comment nearby names the other half."""
    window = 12
    for path, text in code_under(tree, "src", "include"):
        if path in FACADE:
            continue
        lines = text.split("\n")
        for number, line in enumerate(without_comments(text).split("\n"), 1):
            if re.search(r"memory_order(?:_|::)(?:acquire|release|acq_rel|seq_cst|consume)", line):
                near = lines[max(0, number - window):number + 1]
                if not any("//" in other for other in near):
                    yield f"{path}:{number}: no comment within {window} lines names the partner"


def links(tree):
    """Relative links in Markdown files lead to a file or a folder."""
    for path, text in sorted(tree.items()):
        if not path.endswith(".md"):
            continue
        prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
            if "://" in target or target.startswith("mailto:"):
                continue
            found = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if found not in tree and not any(other.startswith(found + "/") for other in tree):
                yield f"{path}: the link to {target} leads nowhere"


def guides(tree):
    """A block of code below a comment that names a file is that file, and a guide has no other:
    what it shows is compiled and run. Each of the programs is shown."""
    shown = set()
    for path, text in sorted(tree.items()):
        if not path.endswith(".md"):
            continue
        named = re.findall(r"^<!-- (\S+/\S+) -->\n+```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        for name, block in named:
            shown.add(name)
            if name not in tree:
                yield f"{path}: there is no {name}"
            elif tree[name] != block:
                yield f"{path}: the block below <!-- {name} --> differs from the file: copy it"
        blocks = len(re.findall(r"^```", text, re.MULTILINE)) // 2
        if path.startswith("docs/guides/") and blocks > len(named):
            yield f"{path}: a block of code without its file, as in <!-- examples/guides/x.cpp -->"
    for path in sorted(tree):
        if re.match(r"examples/guides/[^.]", path) and path not in shown:
            yield f"{path}: no guide shows it"


def top_level(tree):
    for name in sorted({path.split("/")[0] for path in tree} - TOP_LEVEL):
        yield f"{name}: not a known top-level name (tests/policy/checks.py lists them)"


def thread_local_relocations(report):
    """`readelf --relocs --wide` of the library: only current.cpp.o may address thread-locals."""
    found = set()
    for line in report.split("\n"):
        if match := re.match(r"File: .*\((.+)\)", line):
            member = match[1]
        elif re.search(r"\bR_(?:X86_64|AARCH64)_(?:\w*TPOFF\w*|TLS\w+|\w*TLSDESC\w*)\s", line):
            if not re.search(r"R_X86_64_DTPOFF|R_AARCH64_TLS_DTPREL", line):  # what debug information uses
                found.add(member)
    for member in sorted(found - {"current.cpp.o"}):
        yield f"{member}: addresses a thread-local; go through current() of base/current.hpp"
    if "current.cpp.o" not in found:
        yield "current.cpp.o: has no thread-local relocation; is this check reading the right file?"


TREE_CHECKS = [layers, public_headers, file_size, atomics, thread_locals, thread_errno, environment,
               conditionals, memory_orders, links, guides, top_level]
