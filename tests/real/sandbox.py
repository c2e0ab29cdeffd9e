#!/usr/bin/env python3
"""Runs the commands of docs/sandbox.md as they stand there, against a sandbox that is up.

usage: sandbox.py docs/sandbox.md

Every `sh` block is run, in its order; one that defines functions, for all that follow as well. A `text` block
behind it is what it says: each of its lines is in the output, perhaps as a part of a line. A block that fails
fails the run.
"""

import pathlib
import re
import subprocess
import sys
import time

GUARD_S = 150


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Each `sh` block, with the lines of the `text` block that directly follows."""
    found = re.findall(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", text, re.M | re.S)
    return [(command, said.splitlines()) for command, said in found]


def main(file: str):
    todo = blocks(pathlib.Path(file).read_text())
    assert len(todo) > 10, f"{file} has {len(todo)} blocks"
    abbreviations = ""
    for command, said in todo:
        if re.match(r"\w+\(\) \{", command):
            abbreviations += command
            continue
        print("\n".join(f"   $ {line}" for line in command.splitlines()), flush=True)
        began = time.monotonic()
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", abbreviations + command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=GUARD_S,
        )
        print(f"   # {time.monotonic() - began:.0f} s", flush=True)
        if ran.returncode:
            sys.exit(f"it ended with {ran.returncode}:\n{ran.stdout}")
        for line in said:
            if line not in ran.stdout:
                sys.exit(f"it does not say `{line}`, but:\n{ran.stdout}")


if __name__ == "__main__":
    main(*sys.argv[1:])
