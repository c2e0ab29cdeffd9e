"""aliyun-python-sdk-ecs: starts a session, shows its URL, and ends it.

pip install aliyun-python-sdk-core aliyun-python-sdk-ecs, then eval "$(axt env)" and
python python_core.py
"""

import json
import os

from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkecs.request.v20140526.DescribeCloudAssistantStatusRequest import (
    DescribeCloudAssistantStatusRequest,
)
from aliyunsdkecs.request.v20140526.EndTerminalSessionRequest import EndTerminalSessionRequest
from aliyunsdkecs.request.v20140526.StartTerminalSessionRequest import StartTerminalSessionRequest

host, port = os.environ["ALIBABA_CLOUD_ENDPOINT"].rsplit(":", 1)
client = AcsClient(
    os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
    os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    os.environ["ALIBABA_CLOUD_REGION_ID"],
    port=int(port),
    # The dev CA comes from ALIBABA_CLOUD_CA_BUNDLE; verify="FILE" does the same.
)


def send(request) -> dict:
    request.set_endpoint(host)  # without the port, which is the client's
    # The SDK's own constant, not a text of your own: it is compared by identity.
    request.set_protocol_type(protocol_type.HTTPS)
    return json.loads(client.do_action_with_exception(request))


agents = send(DescribeCloudAssistantStatusRequest())["InstanceCloudAssistantStatusSet"]
ready = [one for one in agents["InstanceCloudAssistantStatus"] if one["SupportSessionManager"]]
instance = ready[0]["InstanceId"]
start = StartTerminalSessionRequest()
start.set_InstanceIds([instance])
session = send(start)
print(session["SessionId"], session["WebSocketUrl"])

end = EndTerminalSessionRequest()
end.set_SessionId(session["SessionId"])
send(end)
