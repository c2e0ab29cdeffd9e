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

GUARD_S = 20


def client_for(sandbox, *, tls=True, secret=None, signature=None) -> Client:
    endpoint = urllib.parse.urlsplit(sandbox.ready["api_https" if tls else "api_http"])
    config = Config(
        access_key_id=sandbox.ready["access_key_id"],
        access_key_secret=secret or sandbox.ready["access_key_secret"],
        region_id=sandbox.region,
        endpoint=endpoint.netloc,
        protocol=endpoint.scheme,
    )
    if tls:
        config.ca = sandbox.ca
    if signature:
        config.signature_algorithm = signature
    return Client(config)


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
            socket = connect(
                url, ssl=trust, compression=None, proxy=None, open_timeout=GUARD_S, **options
            )
            return Terminal(opened.enter_context(socket))

        yield open_one


def test_a_session_has_the_four_fields_and_the_url_of_the_page(sandbox):
    answer = start(client_for(sandbox), sandbox)

    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", answer.request_id)
    assert re.fullmatch(r"s-[0-9a-z]+", answer.session_id)
    url = urllib.parse.urlsplit(answer.web_socket_url)
    assert (url.scheme, url.path) == ("wss", "/session")
    assert urllib.parse.parse_qs(url.query) == {
        "sessionId": [answer.session_id],
        "token": [answer.security_token],
    }


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("signature", [None, "v2"])
def test_both_signatures_work_with_tls_and_without(sandbox, tls, signature):
    answer = start(client_for(sandbox, tls=tls, signature=signature), sandbox)

    assert answer.session_id.startswith("s-")


def test_a_shell_over_the_session_url(sandbox, open_terminal):
    answer = start(client_for(sandbox), sandbox)
    terminal = open_terminal(answer.web_socket_url)

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
    answer = start(client_for(sandbox), sandbox)
    url = answer.web_socket_url.split("&token=")[0]
    terminal = open_terminal(
        url, additional_headers={"x-acs-session-token": answer.security_token}
    )

    terminal.type_line("echo by-$((1+1))-header")

    terminal.expect(rb"by-2-header")


def test_ending_a_session_ends_its_terminal_and_its_url(sandbox, open_terminal):
    client = client_for(sandbox)
    answer = start(client, sandbox)
    terminal = open_terminal(answer.web_socket_url)
    terminal.type_line("echo ready")
    terminal.expect(rb"[\r\n]ready")

    client.end_terminal_session(
        models.EndTerminalSessionRequest(region_id=sandbox.region, session_id=answer.session_id)
    )
    close = terminal.expect_end()

    assert (close.code, close.reason) == (1000, "EndTerminalSession")
    with pytest.raises(InvalidStatus) as refused:
        open_terminal(answer.web_socket_url)
    assert refused.value.response.status_code == 403
    assert b"SessionUrl.Ended" in refused.value.response.body


def test_a_wrong_secret_is_the_sdks_own_exception(sandbox):
    client = client_for(sandbox, secret="not-the-secret")

    with pytest.raises(Exception) as failed:
        start(client, sandbox)

    assert failed.value.code == "SignatureDoesNotMatch"
    assert failed.value.status_code == 400
    assert "not-the-secret" not in str(failed.value)


def test_an_unknown_instance_is_the_documented_error(sandbox):
    request = models.StartTerminalSessionRequest(
        region_id=sandbox.region, instance_id=["i-nosuchinstance0000000"]
    )

    with pytest.raises(Exception) as failed:
        client_for(sandbox).start_terminal_session(request)

    assert (failed.value.code, failed.value.status_code) == ("InvalidInstance.NotFound", 404)
    assert "The specified instances not found." in failed.value.message


def test_the_describing_actions_name_the_instance(sandbox):
    client = client_for(sandbox)

    regions = client.describe_regions(models.DescribeRegionsRequest()).body
    instances = client.describe_instances(
        models.DescribeInstancesRequest(region_id=sandbox.region)
    ).body
    status = client.describe_cloud_assistant_status(
        models.DescribeCloudAssistantStatusRequest(
            region_id=sandbox.region, instance_id=[sandbox.instance]
        )
    ).body

    assert sandbox.region in [region.region_id for region in regions.regions.region]
    assert sandbox.instance in [one.instance_id for one in instances.instances.instance]
    agent = status.instance_cloud_assistant_status_set.instance_cloud_assistant_status[0]
    assert (agent.cloud_assistant_status, agent.support_session_manager) == ("true", True)
