#!/usr/bin/env python3
"""Runs the README's commands as they stand there, in their order, as a newcomer would.

usage: readme.py README.md CI_SCRIPT

A `sh` block is run as it is. Of a `console` block the lines after `$ ` are run, but those after
`$ axt session` are typed into it. `cargo run --release -- up` stays in the background for the others,
and `cargo test --workspace` has to be a step of CI_SCRIPT. A command that fails fails the run.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

UP = "cargo run --release -- up"
TEST = "cargo test --workspace"
GUARD_S = 60


def commands(readme: str):
    """Each command with what is typed into it."""
    for language, block in re.findall(r"^```(sh|console)\n(.*?)^```$", readme, re.M | re.S):
        if language == "sh":
            yield block.replace("\\\n", " ").strip(), ""
            continue
        lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
        if lines[0].startswith("axt session"):
            yield lines[0], "".join(f"{line}\n" for line in lines[1:])
        else:
            yield from ((line, "") for line in lines)


def wait_for_ready(state: pathlib.Path, process: subprocess.Popen):
    while not (state / "ready.json").exists():
        if process.poll() is not None:
            sys.exit(f"`{UP}` ended with {process.returncode}")
        time.sleep(0.1)


def main(readme_file: str, ci_file: str):
    todo = list(commands(pathlib.Path(readme_file).read_text()))
    assert [UP, TEST] == [todo[0][0], todo[1][0]], "the first two commands run it and test it"
    assert TEST in pathlib.Path(ci_file).read_text(), f"{ci_file} runs `{TEST}`"
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder, "state")
        environment = {
            **os.environ,
            "AXT_STATE_DIR": str(state),
            # Somebody may use the usual ports.
            **{f"AXT_{name}_LISTEN": "127.0.0.1:0" for name in ("API", "AXT", "ADMIN")},
            "PATH": f"{pathlib.Path('target/release').absolute()}:{os.environ['PATH']}",
        }
        up = subprocess.Popen(UP.split(), env=environment, start_new_session=True)
        try:
            wait_for_ready(state, up)
            instance = re.search(r'"id":\s*"(i-[0-9a-z]+)"', (state / "ready.json").read_text())[1]
            for command, typed in todo[2:]:
                if command == "axt up":
                    continue  # it runs, as the first command said
                # The README's instance is somebody else's.
                command = re.sub(r"\bi-[0-9a-z]{20}\b", instance, command)
                print(f"$ {command}", flush=True)
                ran = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", command],
                    input=typed.encode(), env=environment, timeout=GUARD_S, cwd=folder,
                )
                if ran.returncode:
                    sys.exit(f"`{command}` ended with {ran.returncode}")
        finally:
            os.killpg(up.pid, signal.SIGINT)
            try:
                up.wait(GUARD_S)
            except subprocess.TimeoutExpired:
                os.killpg(up.pid, signal.SIGKILL)
                raise
    print(f"{len(todo)} commands of the README work")


if __name__ == "__main__":
    main(*sys.argv[1:])
