#!/usr/bin/env python3
"""Deletes each re-check of the modelled protocols, one at a time, and says which model notices.

  mutate.py SOURCE_DIR BUILD_DIR                 run, print the table, fail if it is not as expected
  mutate.py SOURCE_DIR BUILD_DIR --table OUT...  the same, and write it into docs/memory-orders.md,
                                                 with the orders that the models' outputs tell of

The sources are copied, and every check in DELETIONS is written as `deleted(n) ? instead : check`;
so each model is compiled once for all its mutants, and run once for each.
"""

import concurrent.futures
import os
import platform
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from deletions import DELETIONS, MODELS, ON_SHIMS  # noqa: E402

ENGINE = "engine/search"
CHOICE = "(::weft::detail::model::deleted({}) ? ({}) : ({}))"
MARKS = ("<!-- {}: written by tests/model/mutate.py -->", "<!-- end of {} -->")


def mutated_copy(source, build):
    """Copies src/ with all choices in it. Each check must be there exactly once."""
    copy = build / "mutants" / "src"
    texts = {}
    for number, d in enumerate(DELETIONS, 1):
        text = texts.get(d.file) or (source / "src" / d.file).read_text()
        pattern = r"\s+".join(re.escape(word) for word in d.check.split())
        places = list(re.finditer(pattern, text))
        if len(places) <= d.which or (len(places) > 1 and d.only):
            sys.exit(f"mutate.py: {d.file}: {len(places)} times: {d.check}")
        at = places[d.which]
        choice = CHOICE.format(number, d.instead, at.group(0))
        texts[d.file] = text[: at.start()] + choice + text[at.end():]
    for path in (source / "src").rglob("*"):
        if path.suffix not in (".hpp", ".cpp"):
            continue
        name = path.relative_to(source / "src")
        text = texts.get(str(name)) or path.read_text()
        # What the copy includes by a path that leaves src/.
        text = text.replace('"../../asm/', f'"{source}/asm/')
        to = copy / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists() or to.read_text() != text:
            to.write_text(text)
    return copy


def compile_model(model, source, build, copy):
    """The model, or what all of them are linked with: "engine/search", an object."""
    is_engine = model == ENGINE
    program = build / "mutants" / ("search.o" if is_engine else model)
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O1", "-w", "-DWEFT_MODEL"]
    if model in ON_SHIMS:
        command.append(f"-I{source}/tests/model/scheduler/shim")
    variants = [f"-I{copy}/base/plain", f"-I{copy}/base/{platform.machine()}"]
    command += [f"-I{copy}", *variants, f"-I{source}/tests/model", f"-I{source}/include",
                str(source / "tests" / "model" / f"{model}.cpp"), "-o", str(program),
                "-c" if is_engine else str(build / "mutants" / "search.o")]
    launcher = os.environ.get("CMAKE_CXX_COMPILER_LAUNCHER")
    done = subprocess.run(([launcher] if launcher else []) + command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"mutate.py: {model} does not compile:\n{done.stderr[-4000:]}")
    return program


def verdict(number, program):
    environment = dict(os.environ, WEFT_MODEL="mutant", WEFT_MODEL_DELETED=str(number))
    only = DELETIONS[number - 1].only_models if number else ""
    if only:
        environment["WEFT_MODEL_ONLY"] = only
    try:
        done = subprocess.run([program], env=environment, capture_output=True, text=True,
                              timeout=280)
    except subprocess.TimeoutExpired:
        return "survived (search cut off)"
    lines = done.stdout.strip().splitlines()
    return lines[-1] if done.returncode == 0 and lines else "a crash"


def replace_between(text, name, body):
    begin, end = (mark.format(name) for mark in MARKS)
    i, j = text.index(begin) + len(begin), text.index(end)
    return text[:i] + "\n\n" + body + "\n" + text[j:]


def orders_table(outputs):
    rows = []
    line = re.compile(r"^(found|spared|MISSED) +(\S+?):\d+ (\w+) as (\w+): (.*?) \[(.*)\]$")
    for output in outputs:
        for text in pathlib.Path(output).read_text().splitlines():
            if m := line.match(text):
                kind, file, order, weaker, detail, function = m.groups()
                name = re.search(r"([\w~]+)\(", function)
                name = name.group(1) if name else function
                if file in ("inject_queue.cpp", "drain.cpp") and name == "thread":
                    continue  # the model's own
                what = f"killed by “{detail}”" if kind == "found" else f"survives: {detail}"
                rows.append(f"| `{file}` `{name}` | {order} → {weaker} | {what} |")
    return "| where | weakened | |\n|---|---|---|\n" + "\n".join(dict.fromkeys(rows)) + "\n"


def main():
    source, build = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    copy = mutated_copy(source, build)
    compile_model(ENGINE, source, build, copy)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        programs = dict(zip(MODELS, pool.map(
            lambda model: compile_model(model, source, build, copy), MODELS)))
        for model in MODELS:
            if (got := verdict(0, programs[model])) != "survived":
                sys.exit(f"mutate.py: {model} fails with nothing deleted: {got}")
        verdicts = list(pool.map(
            lambda n: verdict(n, programs[DELETIONS[n - 1].model]), range(1, len(DELETIONS) + 1)))
    rows, wrong = [], 0
    for d, got in zip(DELETIONS, verdicts):
        killed = not got.startswith("survived")
        if killed != (d.survives is None):
            wrong += 1
            print(f"WRONG  {d.file}: {d.what}: {got}")
        print(f"{'killed  ' if killed else 'survived'} {d.file}: {d.what}: {got}")
        what = f"killed by “{got}”" if killed else f"survives: {d.survives}"
        rows.append(f"| `{d.file}` | {d.what} | {what} |")
    if "--table" in sys.argv:
        docs = source / "docs" / "memory-orders.md"
        text = docs.read_text()
        body = "| file | deleted | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        text = replace_between(text, "deletions", body)
        outputs = sys.argv[sys.argv.index("--table") + 1:]
        if outputs:
            text = replace_between(text, "orders", orders_table(outputs))
        docs.write_text(text)
    print(f"{len(DELETIONS)} checks deleted, {wrong} verdicts not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
