"""A sandbox: `axt up` as a user starts it, on free ports and in a folder of its own."""

import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
import urllib.parse
import urllib.request

from websockets.sync.client import connect

HERE = pathlib.Path(__file__).parent.parent
GUARD_S = 30
RULES = json.loads((HERE / "sandboxes.json").read_text())
GOLDEN = HERE.parent / "data" / "golden-vectors.json"


class Sandbox:
    """A running `axt up`, what its ready file says, and what can be done to it beside the API."""

    def __init__(self, folder: pathlib.Path, flags: list[str]):
        ready_file = folder / "ready.json"
        environment = {**os.environ, "AXT_STATE_DIR": str(folder / "state"), "SHELL": "/bin/sh"}
        self._log = folder / "up.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    os.environ["AXT"], "up", "--ephemeral", "--ready-file", str(ready_file),
                    "--config", str(HERE / "sandbox.toml"), "--api-listen", "127.0.0.1:0",
                    "--axt-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *flags,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            )
        try:
            self.ready = self._wait_for(ready_file)
        except BaseException:
            self._process.kill()
            raise
        self.region = self.ready["region"]
        self.instance = self.ready["instances"][0]["id"]
        self.ca = self.ready["ca_cert"]

    def _wait_for(self, ready_file: pathlib.Path) -> dict:
        deadline = time.monotonic() + GUARD_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if ready_file.exists():
                return json.loads(ready_file.read_text())
            time.sleep(0.02)
        raise AssertionError(f"axt up is not ready:\n{self._log.read_text()}")

    def stop(self):
        self._process.send_signal(signal.SIGINT)
        try:
            assert self._process.wait(GUARD_S) in (0, 130)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def endpoint(self, tls: bool) -> str:
        """Where the API is: `https://localhost:PORT` or `http://127.0.0.1:PORT`."""
        return self.ready["api_https" if tls else "api_http"]

    def session_base(self, tls: bool) -> str:
        """What session URLs begin with: the host that was called, and the axt listener's port."""
        called = urllib.parse.urlsplit(self.endpoint(tls)).hostname
        return f"wss://{called}:{urllib.parse.urlsplit(self.ready['axt']).port}"

    def change_region(self, change: dict):
        self._send("PATCH", f"{self.ready['admin']}/v1/regions/{self.region}", change)

    def change_instance(self, change: dict):
        self._send("PATCH", f"{self.ready['admin']}/v1/instances/{self.instance}", change)

    def advance(self, milliseconds: int):
        """Moves the clock that limits are judged by."""
        self._send("POST", f"{self.ready['admin']}/v1/clock", {"advance_ms": milliseconds})

    def rest(self):
        """Takes back what a case did: sessions, ClientTokens, and what became of region and instance."""
        self._send("POST", f"{self.ready['admin']}/v1/reset", {})
        self.change_region(RULES["rest"]["region"])
        self.change_instance(RULES["rest"]["instance"])

    def register(self, activation: str, code: str) -> dict:
        """Registers a machine, by what an official agent was seen to send."""
        vectors = json.loads(GOLDEN.read_text())["vectors"]
        sent = next(one for one in vectors if one["name"] == "http_register")["decoded"]
        body = json.loads(sent["body"])
        body |= {"activationId": activation, "activationCode": code}
        body |= {"regionId": self.region, "instanceName": ""}
        return self._send("POST", self.ready["api_http"] + sent["path"], body)

    def open(self, url: str):
        """Opens a session's websocket: a context that closes it."""
        trust = ssl.create_default_context(cafile=self.ca)
        # With TLS 1.3 and Python before 3.13 websockets.sync races with itself (test_terminal.py).
        trust.maximum_version = ssl.TLSVersion.TLSv1_2
        return connect(url, ssl=trust, compression=None, proxy=None, open_timeout=GUARD_S)

    @staticmethod
    def _send(method: str, url: str, body: dict) -> dict:
        request = urllib.request.Request(url, json.dumps(body).encode(), method=method)
        request.add_header("Content-Type", "application/json")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=GUARD_S) as answer:
            return json.loads(answer.read() or b"null")


def host(endpoint: str) -> str:
    return urllib.parse.urlsplit(endpoint).netloc
