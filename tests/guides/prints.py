#!/usr/bin/env python3
"""prints.py FILE COMMAND...: the command succeeds, and prints what is in the file."""

import pathlib
import subprocess
import sys

expected = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
ended = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True, check=False, timeout=50)
if ended.returncode != 0 or ended.stdout != expected:
    sys.exit(f"exit code {ended.returncode}; printed\n{ended.stdout}instead of\n{expected}")
