#!/usr/bin/env python3
"""A paused agent, a paused relay and a paused client (SIGSTOP), each in a sandbox of its own, all at once: the
others notice by their deadlines (a websocket is dead after 30 s of silence, and a lost channel may be dialled
again for 15), say why, and whatever the session had started ends.

Wants AXT (the binary). Keeps nothing, and ends what it started, by process id.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

import common

AXT = os.environ["AXT"]
# Above the longest deadline: this is against hanging, and measures nothing.
GUARD_S = 120


def until(what, look):
    return common.until(what, look, GUARD_S)


class Place:
    """A relay, an agent and a client, a process each."""

    def __init__(self, folder):
        self.folder, self.processes = folder, common.Processes()
        self.environment = {**common.without_axt(os.environ), "AXT_STATE_DIR": str(folder / "state")}
        entry = subprocess.run([AXT, "agent", "--new-key", "agent.pem"], cwd=folder, env=self.environment,
                               check=True, capture_output=True).stdout
        (folder / "axt.toml").write_bytes(entry)
        self.relay = self.start("relay", "relay", *common.FREE, "--ready-file", "ready.json")
        instance = json.loads(common.ready(folder / "ready.json"))["instances"][0]["id"]
        self.agent = self.start("agent", "agent", "-i", instance, "--key", "agent.pem")
        until("the agent", lambda: '"True"' in self.api("DescribeCloudAssistantStatus")
              or '"CloudAssistantStatus": "true"' in self.api("DescribeCloudAssistantStatus"))
        self.client = self.start("client", "session", "-i", instance, "--command", "echo pid $$.; exec sleep 1000",
                                 stdin=subprocess.PIPE)
        until("the shell", lambda: "." in self.said("client"))
        self.shell = pathlib.Path("/proc", self.said("client").split("pid ")[1].split(".")[0])

    def start(self, name, *arguments, stdin=subprocess.DEVNULL):
        return self.processes.start([AXT, *arguments], self.folder / f"{name}.log", stdin,
                                    cwd=self.folder, env=self.environment)

    def said(self, name):
        return (self.folder / f"{name}.log").read_text()

    def api(self, *arguments):
        return subprocess.run([AXT, "api", *arguments], cwd=self.folder, env=self.environment,
                              capture_output=True, timeout=GUARD_S).stdout.decode()

    def shell_ends(self):
        until("the end of the shell", lambda: not self.shell.exists())

    def ends(self, name, process, code, word):
        got = until(f"the end of the {name}", lambda: process.poll() is not None and (process.returncode,))[0]
        assert got == code and word in self.said(name), f"{name}: {got}, {self.said(name)}"


def paused_agent(place):
    place.agent.send_signal(signal.SIGSTOP)
    place.ends("client", place.client, 255, "AgentTimeout")
    place.agent.send_signal(signal.SIGCONT)
    place.shell_ends()
    until("the agent's word for it", lambda: "the relay was lost" in place.said("agent"))


def paused_relay(place):
    place.relay.send_signal(signal.SIGSTOP)
    place.ends("client", place.client, 255, "the relay was lost")
    # While the relay still hangs.
    place.shell_ends()
    assert "the relay was lost" in place.said("agent"), place.said("agent")
    place.relay.send_signal(signal.SIGCONT)


def paused_client(place):
    place.client.send_signal(signal.SIGSTOP)
    place.shell_ends()
    until("a reason in the history", lambda: '"ClosedReason": "ClientClosed"' in place.api("DescribeTerminalSessions"))
    place.client.send_signal(signal.SIGCONT)
    place.ends("client", place.client, 255, "error: ")


def main():
    failures = []

    def run(case):
        with tempfile.TemporaryDirectory() as folder:
            place = None
            try:
                place = Place(pathlib.Path(folder))
                case(place)
                print(f"   {case.__name__.replace('_', ' ')}: noticed, told, and nothing left", flush=True)
            except Exception as error:
                failures.append(f"{case.__name__}: {error}")
            finally:
                if place:
                    place.processes.kill()

    cases = [threading.Thread(target=run, args=[case]) for case in (paused_agent, paused_relay, paused_client)]
    for case in cases:
        case.start()
    for case in cases:
        case.join()
    if failures:
        sys.exit("FAILED: " + "\n".join(failures))


if __name__ == "__main__":
    main()
