"""Fuzzes the native kernel under AddressSanitizer and UndefinedBehaviorSanitizer; leaves nothing behind.

    .venv/bin/python -m tests.fuzz --minutes 5
    .venv/bin/python -m tests.fuzz --seed 7        # the same texts again

It needs a C compiler with the sanitizers (gcc has them). What is found is printed with the text that it
happened with; the exit code is 0 only where nothing was.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).with_name("kernel_fuzz.c")
FLAGS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


def build(folder: Path) -> Path | None:
    """Compile the kernel with its fuzzer; None where no compiler can."""
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    program = folder / "kernel_fuzz"
    if compiler is None:
        return None
    done = subprocess.run(
        [compiler, *FLAGS, "-o", str(program), str(SOURCE), "-lm"],
        capture_output=True,
        text=True,
        check=False,
    )
    return program if done.returncode == 0 else None


def fuzz(seconds: int, seed: int) -> int:
    """Run the fuzzer for some seconds; gives its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        if program is None:
            print("there is no C compiler with sanitizers here", file=sys.stderr)
            return 2
        return subprocess.run([program, str(seconds), str(seed)], cwd=folder, check=False).returncode


def main() -> int:
    """Read the options and fuzz."""
    parser = argparse.ArgumentParser(description="Fuzzes the native kernel.")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=None, help="so that the same texts come again")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 2**32
    print(f"seed {seed}")
    return fuzz(max(1, round(options.minutes * 60)), seed)


if __name__ == "__main__":
    sys.exit(main())
