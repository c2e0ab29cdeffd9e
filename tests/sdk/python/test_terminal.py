"""The official Python SDK, unmodified, starts sessions; Python's websockets package drives them."""

import contextlib
import re
import ssl
import urllib.parse

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import frames
from sandbox import GUARD_S

# Plain sh at its prompt: the same on every machine, and ready to be typed to.
SHELL = {"command_line": "PS1='$ ' exec sh"}
PROMPT = rb"\$ "


def client_for(sandbox) -> Client:
    endpoint = urllib.parse.urlsplit(sandbox.endpoint(tls=True))
    return Client(
        Config(
            access_key_id=sandbox.ready["access_key_id"],
            access_key_secret=sandbox.ready["access_key_secret"],
            region_id=sandbox.region,
            endpoint=endpoint.netloc,
            protocol=endpoint.scheme,
            ca=sandbox.ca,
        )
    )


def start(client, sandbox, **parameters):
    request = models.StartTerminalSessionRequest(
        region_id=sandbox.region, instance_id=[sandbox.instance], **parameters
    )
    return client.start_terminal_session(request).body


class Terminal:
    """A session's websocket and the frames on it."""

    def __init__(self, socket):
        self.socket = socket
        self.sequence = 0
        self.output = b""
        self.statuses = []

    def send(self, kind, payload):
        self.socket.send(frames.encode(kind, self.sequence, payload))
        self.sequence += 1

    def type_line(self, line):
        self.send(frames.INPUT, line.encode() + b"\r")

    def receive(self):
        kind, payload = frames.decode(self.socket.recv(timeout=GUARD_S))
        if kind == frames.OUTPUT:
            self.output += payload
        if kind == frames.STATUS:
            self.statuses.append((payload[0], payload[1:]))

    def expect(self, pattern):
        while not (found := re.search(pattern, self.output)):
            self.receive()
        self.output = self.output[found.end():]
        return found

    def expect_end(self):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                self.receive()
        return closed.value.rcvd


@pytest.fixture
def open_terminal(sandbox):
    """Opens terminals, and closes them when the test is over."""
    with contextlib.ExitStack() as opened:

        def open_one(url, **options):
            trust = ssl.create_default_context(cafile=sandbox.ca)
            # `websockets.sync` reads in one thread and writes in another. With TLS 1.3 the reader takes
            # session tickets just then, and before Python 3.13 a request is lost now and again.
            trust.maximum_version = ssl.TLSVersion.TLSv1_2
            socket = connect(
                url, ssl=trust, compression=None, proxy=None, open_timeout=GUARD_S, **options
            )
            return Terminal(opened.enter_context(socket))

        yield open_one




def test_a_shell_over_the_session_url(sandbox, open_terminal):
    answer = start(client_for(sandbox), sandbox, **SHELL)
    terminal = open_terminal(answer.web_socket_url)
    terminal.expect(PROMPT)

    terminal.type_line("echo $((6*7)) is the answer")
    terminal.expect(rb"[\r\n]42 is the answer")
    terminal.send(frames.RESIZE, frames.window_size(43, 132))
    terminal.type_line("stty size")
    terminal.expect(rb"[\r\n]43 132")
    terminal.type_line("exit 3")
    close = terminal.expect_end()

    assert (close.code, close.reason) == (1000, "Exit")
    assert (frames.ENDED, b"Exit") in terminal.statuses
    assert (frames.SPEED, (1_638_400).to_bytes(4, "big")) == terminal.statuses[0]


def test_a_command_line_runs_with_its_quotes(sandbox, open_terminal):
    answer = start(client_for(sandbox), sandbox, command_line="printf '%s|' 'a b' \"c;d\"; exit")
    terminal = open_terminal(answer.web_socket_url)

    close = terminal.expect_end()

    assert terminal.output == b"a b|c;d|"
    assert close.reason == "Exit"


def test_the_token_may_come_in_the_header_alone(sandbox, open_terminal):
    answer = start(client_for(sandbox), sandbox, **SHELL)
    url = answer.web_socket_url.split("&token=")[0]
    terminal = open_terminal(
        url, additional_headers={"x-acs-session-token": answer.security_token}
    )
    terminal.expect(PROMPT)

    terminal.type_line("echo by-$((1+1))-header")

    terminal.expect(rb"by-2-header")


def test_ending_a_session_ends_its_terminal_and_its_url(sandbox, open_terminal):
    client = client_for(sandbox)
    answer = start(client, sandbox, **SHELL)
    terminal = open_terminal(answer.web_socket_url)
    terminal.expect(PROMPT)

    client.end_terminal_session(
        models.EndTerminalSessionRequest(region_id=sandbox.region, session_id=answer.session_id)
    )
    close = terminal.expect_end()

    assert (close.code, close.reason) == (1000, "EndTerminalSession")
    with pytest.raises(InvalidStatus) as refused:
        open_terminal(answer.web_socket_url)
    assert refused.value.response.status_code == 403
    assert b"SessionUrl.Ended" in refused.value.response.body
