"use strict";
// @alicloud/pop-core: starts a session, shows its URL, and ends it.
//
// npm install @alicloud/pop-core, then eval "$(axt env)" and node node_pop.js

const { RPCClient } = require("@alicloud/pop-core");

const RegionId = process.env.ALIBABA_CLOUD_REGION_ID;
const client = new RPCClient({
  accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
  accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
  endpoint: `https://${process.env.ALIBABA_CLOUD_ENDPOINT}`, // or http://
  apiVersion: "2014-05-26",
  // The dev CA comes from NODE_EXTRA_CA_CERTS, which Node reads when it starts.
});

async function main() {
  const agents = await client.request("DescribeCloudAssistantStatus", { RegionId });
  const statuses = agents.InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus;
  const InstanceId = [statuses.find((one) => one.SupportSessionManager).InstanceId];
  const { SessionId, WebSocketUrl } = await client.request("StartTerminalSession", { RegionId, InstanceId });
  console.log(SessionId, WebSocketUrl);

  await client.request("EndTerminalSession", { RegionId, SessionId });
}

main();
