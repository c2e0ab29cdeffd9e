"use strict";
// @alicloud/ecs20140526: starts a session, shows its URL, and ends it.
//
// npm install @alicloud/ecs20140526, then eval "$(axt env)" and node node_tea.js

const ecs = require("@alicloud/ecs20140526");
const { $OpenApiUtil } = require("@alicloud/openapi-core");

const regionId = process.env.ALIBABA_CLOUD_REGION_ID;
const client = new ecs.default(
  new $OpenApiUtil.Config({
    accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
    accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
    regionId,
    endpoint: process.env.ALIBABA_CLOUD_ENDPOINT, // HOST:PORT
    protocol: "https", // or "http": the port serves both
    // The dev CA comes from NODE_EXTRA_CA_CERTS; `ca` does the same, with the certificate's text.
  }),
);

async function main() {
  const ask = new ecs.DescribeCloudAssistantStatusRequest({ regionId });
  const { instanceCloudAssistantStatusSet: agents } = (await client.describeCloudAssistantStatus(ask)).body;
  const ready = agents.instanceCloudAssistantStatus.find((one) => one.supportSessionManager);
  const instanceId = [ready.instanceId];
  const start = new ecs.StartTerminalSessionRequest({ regionId, instanceId });
  const { sessionId, webSocketUrl } = (await client.startTerminalSession(start)).body;
  console.log(sessionId, webSocketUrl);

  await client.endTerminalSession(new ecs.EndTerminalSessionRequest({ regionId, sessionId }));
}

main();
