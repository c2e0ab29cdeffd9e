"""alibabacloud_ecs20140526: starts a session, shows its URL, and ends it.

pip install alibabacloud_ecs20140526, then eval "$(axt env)" and python python_tea.py
"""

import os

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config

region = os.environ["ALIBABA_CLOUD_REGION_ID"]
client = Client(
    Config(
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        region_id=region,
        endpoint=os.environ["ALIBABA_CLOUD_ENDPOINT"],  # HOST:PORT
        protocol="https",  # or "http": the port serves both
        # The dev CA comes from SSL_CERT_FILE; ca="FILE" does the same.
    )
)

ask = models.DescribeCloudAssistantStatusRequest(region_id=region)
agents = client.describe_cloud_assistant_status(ask).body.instance_cloud_assistant_status_set
ready = [one for one in agents.instance_cloud_assistant_status if one.support_session_manager]
instance = ready[0].instance_id
start = models.StartTerminalSessionRequest(region_id=region, instance_id=[instance])
session = client.start_terminal_session(start).body
print(session.session_id, session.web_socket_url)

end = models.EndTerminalSessionRequest(region_id=region, session_id=session.session_id)
client.end_terminal_session(end)
