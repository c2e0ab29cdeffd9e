#!/usr/bin/env python3
"""Runs the README's commands as they stand there, in their order, as a newcomer would.

usage: readme.py README.md CI_SCRIPT

Every `sh` block is run. `cargo run --release -- up` stays in the background for the others, and
`cargo test --workspace` has to be a step of CI_SCRIPT. A block that fails fails the run. (A `text` block
shows what waits for a person; tests/parts.rs and tests/forward.rs run those.)
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


def commands(readme: str) -> list[str]:
    return [block.strip() for block in re.findall(r"^```sh\n(.*?)^```$", readme, re.M | re.S)]


def wait_for_ready(state: pathlib.Path, process: subprocess.Popen):
    while not (state / "ready.json").exists():
        if process.poll() is not None:
            sys.exit(f"`{UP}` ended with {process.returncode}")
        time.sleep(0.1)


def main(readme_file: str, ci_file: str):
    todo = commands(pathlib.Path(readme_file).read_text())
    assert [UP, TEST] == todo[:2], "the first two commands run it and test it"
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
            for command in todo[2:]:
                print(f"$ {command}", flush=True)
                ran = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", command],
                    stdin=subprocess.DEVNULL, env=environment, timeout=GUARD_S, cwd=folder,
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
