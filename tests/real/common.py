"""What the programs in this folder share: waiting with a guard, and processes that end with the run."""

import subprocess
import time

GUARD_S = 30
LOOK_S = 0.05
# Listeners on free ports of the loopback.
FREE = ["--api-listen", "127.0.0.1:0", "--axt-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]


class Failed(Exception):
    """What was waited for, or compared, is not so. In words."""


def until(what, look, guard_s=GUARD_S):
    """Waits for an answer that is not nothing. `what` is said when none comes; it may be a function that says it."""
    end = time.monotonic() + guard_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(LOOK_S)
    raise Failed(f"not within {guard_s} s: {what() if callable(what) else what}")


def without_axt(environment):
    """An environment in which nothing is set for axt, nor a proxy."""
    return {name: value for name, value in environment.items()
            if not name.startswith("AXT_") and not name.lower().endswith("_proxy")}


class Processes:
    """Processes of this run, each with a log."""

    def __init__(self):
        self.started = []

    def start(self, arguments, log, stdin=subprocess.DEVNULL, **more):
        with open(log, "ab") as out:
            process = subprocess.Popen(arguments, stdin=stdin, stdout=out, stderr=subprocess.STDOUT, **more)
        self.started.append(process)
        return process

    def end(self):
        """Ends them in good order, the latest first; those that do not within the guard's time, by force."""
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(GUARD_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self):
        """Ends them at once, even those that are stopped."""
        for process in reversed(self.started):
            process.kill()
            process.wait()


def ready(file):
    """What a ready file says, once it is there and whole."""
    until(file.name, lambda: file.exists() and file.stat().st_size)
    return file.read_text()
