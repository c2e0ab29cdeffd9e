#!/usr/bin/env python3
"""Real programs on terminals, through `axt session`: vim, less, top, stty and a raw cat, driven by tmux, with
their screens and bytes compared to what they are without axt. All of it runs three times: on this machine
alone, through axt's own agent, and through a peer that behaves as the official agent, of which this is
expected (wire-protocol 12.9):

  - a character that is not whole, or a byte that is none, waits at the end of the output for more of it;
  - a U+FFFD before the end of what it reads at once loses its last two bytes;
  - its terminal does not have `iutf8`, and starts without a size.

Wants AXT (the binary), OFFICIAL_AGENT (the look-alike), tmux, vim, less, top, stty; ASCIINEMA where a recording
is to be played. Installs nothing, keeps nothing, and ends what it started, by process id.
"""

import hashlib
import json
import os
import pathlib
import pty
import random
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import common
from common import GUARD_S, LOOK_S, Failed, until

AXT = os.environ["AXT"]
OFFICIAL_AGENT = os.environ["OFFICIAL_AGENT"]
ASCIINEMA = os.environ.get("ASCIINEMA")
ROWS, COLS = 24, 80
SHELL = ["env", "PS1=$", "PS2=>", "LESS=", "sh"]
processes = common.Processes()


def say(text):
    print(f"   {text}", flush=True)


def same(got, wanted, what):
    if got != wanted:
        show = lambda it: it if isinstance(it, str) else repr(it[:400])
        raise Failed(f"{what}\n--- wanted\n{show(wanted)}\n--- got\n{show(got)}")


class Place:
    """Where a shell runs: a command that gives one, in a folder of its own."""

    def __init__(self, name, folder, command, environment):
        self.name, self.folder, self.environment = name, folder, environment
        self.command = command

    def is_official(self):
        return self.name == "official"


class Screen:
    """A window of tmux with a shell of a place in it."""

    def __init__(self, work, place, name, more=()):
        self.socket, self.name = str(work / "tmux"), name
        line = shlex.join([*place.command, *more])
        environment = [word for pair in place.environment.items() for word in ("-e", "=".join(pair))]
        self.tmux("new-session", "-d", "-s", name, "-x", str(COLS), "-y", str(ROWS), *environment,
                  "-c", str(place.folder), line)
        self.sees("$")

    def tmux(self, *arguments, **more):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", self.socket, *arguments], check=True,
                              capture_output=True, timeout=GUARD_S, **more).stdout.decode()

    def keys(self, *keys):
        self.tmux("send-keys", "-t", self.name, *keys)

    def types(self, text):
        self.tmux("send-keys", "-t", self.name, "-l", text)

    def enters(self, line):
        self.types(line)
        self.keys("Enter")

    def pastes(self, text):
        """As a terminal does, in brackets where the program has asked for them."""
        self.tmux("load-buffer", "-b", "it", "-", input=text.encode())
        self.tmux("paste-buffer", "-p", "-d", "-b", "it", "-t", self.name)

    def capture(self, *how):
        return self.tmux("capture-pane", "-p", "-t", self.name, *how)

    def modes(self):
        names = ["alternate_on", "cursor_flag", "keypad_cursor_flag", "keypad_flag", "mouse_any_flag",
                 "mouse_sgr_flag", "insert_flag", "wrap_flag", "cursor_x", "cursor_y"]
        return self.tmux("display-message", "-p", "-t", self.name, " ".join(f"{name}=#{{{name}}}" for name in names))

    def sees(self, text):
        until(lambda: f"{text!r} on the screen:\n{self.capture()}", lambda: text in self.capture())

    def settles(self):
        """The screen, once it has been the same for a while."""
        seen = []

        def look():
            seen.append((self.capture("-e"), self.modes()))
            return seen[-1] if len(seen) > 12 and all(it == seen[-1] for it in seen[-12:]) else None

        return until("a screen that stands still", look)

    def becomes(self, wanted, what):
        """Waits until the screen is what it was elsewhere."""
        def differs():
            now = (self.capture("-e"), self.modes())
            return f"{what}\n--- wanted\n{wanted[0]}{wanted[1]}\n--- got\n{now[0]}{now[1]}"

        until(differs, lambda: (self.capture("-e"), self.modes()) == wanted)

    def resize(self, rows, cols):
        self.tmux("resize-window", "-t", self.name, "-x", str(cols), "-y", str(rows))

    def end(self):
        self.enters("exit")
        until("the end of the shell", lambda: self.name not in subprocess.run(
            ["tmux", "-S", self.socket, "list-sessions", "-F", "#{session_name}"],
            capture_output=True).stdout.decode().split())


TEXT = "".join(
    f"{number:3} 你好 wörld ¡ñ! ┌─┐ αβγ {'x' * (number % 50)}\n" for number in range(1, 121)
)
PASTE = "".join(f"pasted line {number} 日本語\n" for number in range(20))


def unnumbered(screen):
    """A screen of top, its colours and its modes, without what changes by the moment: numbers, and the width that
    they take. The row of the columns' names is as it is, to the end of its line."""
    def part(text):
        if text.startswith("\x1b"):
            return text
        return re.sub(r"\d+([.:]\d+)*", "0", re.sub(r"\bup\b.*?users?", "up", text)).replace(" ", "")

    rows = []
    for row in screen.capture("-e").splitlines():
        is_head = "PID USER" in row
        rows.append(row if is_head else "".join(map(part, re.split(r"(\x1b[\[(][0-9;]*[A-Za-z])", row))))
    # The state of the process, which may be at work just now.
    return "\n".join(re.sub(r"0[RSDI]0", "0S0", row) for row in rows) + "\n" + screen.modes()


def programs(work, place, like):
    """Runs the programs and compares their screens to `like`; without one, makes it."""
    (place.folder / "text").write_text(TEXT)
    screens, screen = {}, Screen(work, place, place.name)

    def compare(step):
        if like is None:
            screens[step] = screen.settles()
        else:
            screen.becomes(like[step], f"{place.name}: {step}")

    screen.enters(f"cd {place.folder}; clear; stty size")
    screen.sees(f"{ROWS} {COLS}")
    compare("stty size")
    screen.resize(30, 100)
    screen.enters("clear; until stty size | grep -x '30 100'; do :; done")
    screen.sees("30 100")
    compare("stty size after a resize")
    screen.resize(ROWS, COLS)
    screen.enters(f"clear; until stty size | grep -x '{ROWS} {COLS}'; do :; done")
    screen.sees(f"{ROWS} {COLS}")
    screen.enters("clear; stty -a >modes; echo wri''tten")
    screen.sees("written")
    modes = re.sub(r"\s+", " ", (place.folder / "modes").read_text())
    if place.is_official():
        modes = modes.replace("-iutf8", "iutf8")
    screens["modes"] = modes
    if like is not None:
        same(modes, like["modes"], f"{place.name}: stty -a")

    say(f"{place.name}: vim, with mouse, alternate screen, and a paste in brackets")
    screen.enters("clear; vim -N -u NONE -i NONE --cmd 'set mouse=a ttymouse=sgr nomodeline laststatus=2' text")
    screen.sees("120L")
    compare("vim")
    screen.types("\x1b[<0;7;5M\x1b[<0;7;5m")
    compare("vim after a click")
    screen.types("iX")
    screen.pastes(PASTE)
    screen.sees("pasted line 19")
    screen.keys("Escape")
    compare("vim after a paste")
    screen.enters(":set nowrap | wq")
    screen.sees("$")
    compare("after vim")
    screens["file"] = (place.folder / "text").read_bytes()
    if PASTE.encode() not in screens["file"]:
        raise Failed(f"{place.name}: the paste is not whole in vim's file")
    if like is not None:
        same(screens["file"], like["file"], f"{place.name}: what vim has written")

    say(f"{place.name}: less, top")
    (place.folder / "text").write_text(TEXT)
    screen.enters("clear; less -S text")
    screen.sees("  1 你好")
    screen.types(" ")
    compare("less")
    screen.enters("/ 77 ")
    compare("less after a search")
    screen.types("q")
    compare("after less")
    # Of one process, so that as many rows are there each time.
    screen.enters("clear; top -d 600 -p 1")
    screen.sees("PID USER")
    for step, how in [("top", lambda: None),
                      ("top in colours", lambda: screen.types("z")),
                      ("top in another window", lambda: screen.resize(30, 100)),
                      ("top in the first window again", lambda: screen.resize(ROWS, COLS))]:
        how()
        if like is None:
            screen.settles()
            screens[step] = unnumbered(screen)
        else:
            differs = lambda: f"{place.name}: {step}\n--- wanted\n{like[step]}\n--- got\n{unnumbered(screen)}"
            until(differs, lambda: unnumbered(screen) == like[step])
    screen.types("q")
    screen.sees("$")
    screen.enters("clear; stty -a >modes.after; echo wri''tten")
    screen.sees("written")
    after = re.sub(r"\s+", " ", (place.folder / "modes.after").read_text())
    same(after.replace("-iutf8", "iutf8") if place.is_official() else after, modes, f"{place.name}: after top")

    say(f"{place.name}: cat on a raw terminal")
    screen.enters("clear; stty raw -echo; printf '\\033[?1000h\\033[?1006h'; timeout 20 cat -v")
    until("mouse reports", lambda: "mouse_sgr_flag=1" in screen.modes())
    screen.types("\x1b[<0;3;4M\x01\x03\x04\x1a ñ~.q")
    screen.sees("^[[<0;3;4M^A^C^D^Z M-CM-1~.q")
    compare("raw cat")
    # Nothing but a signal ends it now; the session with it.
    screens["raw"] = True
    screen.tmux("kill-session", "-t", screen.name)
    return screens


class Bytes:
    """A session on a terminal of our own, for bytes that no terminal emulator shows."""

    def __init__(self, place, *more):
        self.seen = b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(place.folder)
            os.execvpe(place.command[0], [*place.command, *more], {**os.environ, **place.environment})
        os.set_blocking(self.terminal, False)
        self.expect(b"$")

    def read(self, wait=LOOK_S):
        if select.select([self.terminal], [], [], wait)[0]:
            try:
                self.seen += os.read(self.terminal, 65536)
            except OSError:
                return False
        return True

    def expect(self, text):
        until(lambda: f"{text!r} in {self.seen[-300:]!r}", lambda: (self.read(), text in self.seen)[1])
        before, _, self.seen = self.seen.partition(text)
        return before

    def send(self, data):
        """Writes all of it, and reads on meanwhile."""
        end = time.monotonic() + 4 * GUARD_S
        while data:
            if time.monotonic() > end:
                raise Failed(f"{len(data)} bytes are not taken")
            self.read(0)
            if select.select([], [self.terminal], [], LOOK_S)[1]:
                try:
                    data = data[os.write(self.terminal, data[:4096]):]
                except BlockingIOError:
                    pass

    def receives(self, length):
        end = time.monotonic() + 4 * GUARD_S
        while len(self.seen) < length and time.monotonic() < end:
            self.read()
        got, self.seen = self.seen[:length], self.seen[length:]
        return got

    def end(self):
        os.close(self.terminal)
        until("the client's end", lambda: os.waitpid(self.pid, os.WNOHANG)[0])


def raw_bytes(place):
    every, rng = bytes(range(256)) * 16, random.Random(8)
    noise = rng.randbytes(1_000_000)
    for what, data in [("every byte value", every), ("1 MB of noise", noise)]:
        data += b"<the end>"
        wanted = data
        if place.is_official():
            # Of U+FFFD it keeps the first byte, wherever its reads end.
            assert b"\xef\xbf\xbd" not in data
        say(f"{place.name}: {what}, by its hash")
        session = Bytes(place, *(["--escape-char=none"] if place.name != "local" else []))
        session.send(f"stty raw -echo; echo re''ady; exec head -c {len(data)}\n".encode())
        session.expect(b"ready")
        session.expect(b"\n")
        session.send(data)
        got = session.receives(len(wanted))
        same(hashlib.sha256(got).hexdigest(), hashlib.sha256(wanted).hexdigest(), f"{place.name}: {what}")
        session.end()

    say(f"{place.name}: what is no character, and what looks like none")
    session = Bytes(place, *(["--escape-char=none"] if place.name != "local" else []))
    session.send(b"stty raw -echo; echo re''ady; exec cat\n")
    session.expect(b"ready")
    session.expect(b"\n")
    session.send(b"a\xef\xbf\xbdb.")
    same(session.receives(3 if place.is_official() else 6)[:3],
         b"a\xefb" if place.is_official() else b"a\xef\xbf", f"{place.name}: U+FFFD")
    if place.is_official():
        session.expect(b".")
    session.send(b"c\xff")
    same(session.receives(1), b"c", f"{place.name}: before a byte that is none")
    if not place.is_official():
        same(session.receives(1), b"\xff", f"{place.name}: a byte that is none, at the end")
    session.send(b"d")
    same(session.receives(2 if place.is_official() else 1)[-1:], b"d", f"{place.name}: and more")
    session.end()


def paste(place):
    """A megabyte of lines, pasted into a reader that begins late."""
    text = "".join(f"{number:07} {'日' * 20}\n" for number in range(15_000)).encode()
    say(f"{place.name}: {len(text)} bytes pasted into a reader that begins late")
    session = Bytes(place)
    session.send(b"stty -echo; echo re''ady; (read -r go; sha256sum) | cut -c 1-64\n")
    session.expect(b"ready")
    session.expect(b"\n")
    session.send(b"go\n" + text)
    session.send(b"\x04")
    wanted = hashlib.sha256(text).hexdigest().encode()
    session.expect(wanted)
    session.end()


def recording(work, place):
    """Records a session and plays it in asciinema."""
    if not ASCIINEMA:
        say("left out: there is no asciinema")
        return
    say("a recording, played by asciinema on a terminal of its size")
    file = work / "demo.cast"
    screen = Screen(work, place, "recorded", ["--record", str(file)])
    screen.enters("clear; printf '\\033[1;31mred\\033[0m 你好\\n'; head -n 5 text; ls /")
    screen.sees("usr")
    wanted = screen.settles()
    screen.tmux("kill-session", "-t", "recorded")
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert events[0]["version"] == 2 and (events[0]["width"], events[0]["height"]) == (COLS, ROWS), events[0]
    line = f"{shlex.join([ASCIINEMA, 'play', '-i', '0.01', str(file)])}; sleep 1000"
    subprocess.run(["tmux", "-f", "/dev/null", "-S", str(work / "tmux"), "new-session", "-d", "-s", "played",
                    "-x", str(COLS), "-y", str(ROWS), line], check=True)
    screen.name = "played"
    until(lambda: f"the recorded screen\n{screen.capture()}\n--- wanted\n{wanted[0]}",
          lambda: screen.capture("-e") == wanted[0])
    screen.tmux("kill-session", "-t", "played")
    printed = subprocess.run([ASCIINEMA, "cat", str(file)], check=True, capture_output=True).stdout
    same(printed.decode(), "".join(event[2] for event in events[1:] if event[1] == "o"), "asciinema cat")


def sandboxes(work):
    """A sandbox with axt's agent, and a relay with the look-alike of the official one."""
    def ready(command, name):
        file = work / f"{name}.json"
        environment = {**os.environ, "AXT_STATE_DIR": str(work / name)}
        processes.start([AXT, command, *common.FREE, "--ephemeral", "--limit", "bandwidth_bytes_per_s=0",
                         "--ready-file", str(file),
                         *(["--config", str(work / "axt.toml"), "--allow-unsigned"] if command == "relay" else [])],
                        work / "axt.log", env=environment)
        return json.loads(common.ready(file))

    (work / "axt.toml").write_text('[[instances]]\nid = "i-official"\nname = "official"\n')
    ready("up", "ours")
    official = ready("relay", "official")
    server = official["axt"].replace("wss://", "https://")
    told = work / "agent.log"
    agent = processes.start([OFFICIAL_AGENT, server, official["ca_cert"], "i-official"], told,
                            env={**os.environ, "HOME": str(work)})
    until("the official agent", lambda: agent.poll() is not None or "online" in told.read_text())
    return agent, told


def main():
    for name in os.environ.keys() - common.without_axt(os.environ).keys():
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        try:
            agent, told = sandboxes(work)
            # All three work in a folder of the same path's length, which screens may show.
            theirs = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
            session = [AXT, "session", "--command", " ".join(SHELL).replace("$", "'$'").replace(">", "'>'")]
            official = [AXT, "session", "--command", " ".join(SHELL)]
            places = []
            for name, command in [("local", SHELL), ("ours", session), ("official", official)]:
                (work / f"at-{name}").mkdir()
                environment = {**theirs, "AXT_STATE_DIR": str(work / name)}
                places.append(Place(name, work / f"at-{name}", command, environment))
            like = None
            for place in places:
                screens = programs(work, place, like)
                like = like or screens
                raw_bytes(place)
                paste(place)
            recording(work, places[1])
            say("and the official agent has nothing to complain of")
            agent.send_signal(signal.SIGTERM)
            if agent.wait(GUARD_S):
                raise Failed(f"the official agent's complaints:\n{told.read_text()}")
        finally:
            subprocess.run(["tmux", "-S", str(work / "tmux"), "kill-server"], capture_output=True)
            processes.end()


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"FAILED: {failure}")
