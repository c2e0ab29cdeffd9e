"""A sandbox for the tests: `axt up` as a user starts it, on free ports and in a folder of its own."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

GUARD_S = 30


class Sandbox:
    """A running `axt up`, and what its ready file says."""

    def __init__(self, process: subprocess.Popen, ready: dict):
        self.process = process
        self.ready = ready
        self.region = ready["region"]
        self.instance = ready["instances"][0]["id"]
        self.ca = ready["ca_cert"]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("axt")
    ready_file = folder / "ready.json"
    log = open(folder / "up.log", "wb")
    environment = {**os.environ, "AXT_STATE_DIR": str(folder / "state"), "SHELL": "/bin/sh"}
    process = subprocess.Popen(
        [
            os.environ["AXT"], "up", "--ephemeral", "--ready-file", str(ready_file),
            "--api-listen", "127.0.0.1:0", "--axt-listen", "127.0.0.1:0",
            "--admin-listen", "127.0.0.1:0",
        ],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
    )
    try:
        yield Sandbox(process, _wait_for(ready_file, process, folder))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(GUARD_S) in (0, 130)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait_for(ready_file: pathlib.Path, process: subprocess.Popen, folder: pathlib.Path) -> dict:
    deadline = time.monotonic() + GUARD_S
    while time.monotonic() < deadline:
        if ready_file.exists():
            return json.loads(ready_file.read_text())
        if process.poll() is not None:
            break
        time.sleep(0.02)
    pytest.fail(f"axt up is not ready:\n{(folder / 'up.log').read_text()}")
