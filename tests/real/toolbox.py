"""The official Python SDKs as they are used against the cloud: with a key and a region, and no endpoint.

Run in the sandbox's toolbox: python3 - INSTANCE < tests/real/toolbox.py. One SDK starts a session on the instance,
the other one sees it and ends it.
"""

import json
import os
import sys
import urllib.parse

from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkecs.request.v20140526.DescribeTerminalSessionsRequest import DescribeTerminalSessionsRequest
from aliyunsdkecs.request.v20140526.EndTerminalSessionRequest import EndTerminalSessionRequest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config

instance = sys.argv[1]
region = os.environ["ALIBABA_CLOUD_REGION_ID"]
key = os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
assert "ALIBABA_CLOUD_ENDPOINT" not in os.environ

tea = Client(Config(access_key_id=key[0], access_key_secret=key[1], region_id=region))
start = models.StartTerminalSessionRequest(region_id=region, instance_id=[instance])
session = tea.start_terminal_session(start).body
host = urllib.parse.urlsplit(session.web_socket_url).netloc
assert host == f"{region}.axt.aliyuncs.com", session.web_socket_url

core = AcsClient(*key, region)


def send(request, protocol) -> dict:
    request.set_accept_format("json")
    request.set_protocol_type(protocol)
    return json.loads(core.do_action_with_exception(request))


for protocol in protocol_type.HTTP, protocol_type.HTTPS:
    ask = DescribeTerminalSessionsRequest()
    ask.set_SessionId(session.session_id)
    found = send(ask, protocol)["Sessions"]["Session"]
    assert [one["SessionId"] for one in found] == [session.session_id], found
end = EndTerminalSessionRequest()
end.set_SessionId(session.session_id)
send(end, protocol_type.HTTPS)
print("ended", session.session_id)
