#!/usr/bin/env python3
"""policy.py ROOT CHECK: runs one check of checks.py on the tree; for thread_local_relocations,
policy.py LIBRARY thread_local_relocations. Exits with 1 and one line for each violation."""

import pathlib
import subprocess
import sys

import checks

IGNORED = {".git", "build", "__pycache__", ".cache"}


def read_tree(root):
    """Every file that git tracks or would track; without git, every file."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                             capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        paths = [p for p in listing.stdout.split("\0") if p]
    else:
        files = (p.relative_to(root) for p in pathlib.Path(root).rglob("*") if p.is_file())
        paths = [str(p) for p in files if not IGNORED & set(p.parts)]
    files = {p: pathlib.Path(root) / p for p in paths}
    return {p: file.read_text(encoding="utf-8", errors="replace")
            for p, file in files.items() if file.is_file()}


def main():
    where, name = sys.argv[1:]
    if name == "thread_local_relocations":
        subject = subprocess.run(["readelf", "--relocs", "--wide", where], capture_output=True,
                                 text=True, check=True).stdout
    else:
        subject = read_tree(where)
        if not any(path.startswith("src/") for path in subject):
            sys.exit(f"{where} holds no src/: nothing was checked")
    violations = list(getattr(checks, name)(subject))
    for line in violations:
        print(line)
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
