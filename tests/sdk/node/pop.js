"use strict";
// @alicloud/pop-core: an action's name and a plain object; what the answer's JSON says is the result.

const assert = require("node:assert/strict");
const https = require("node:https");
const Ecs = require("@alicloud/ecs20140526");
const { RPCClient } = require("@alicloud/pop-core");

const { misfits } = require("./shape.js");
const { raised } = require("./tea.js");

class Pop {
  sdk = "node-pop";

  constructor(way, tls) {
    Object.assign(this, { way, tls, name: `${this.sdk}/${way}` });
  }

  async call(call) {
    const client = new RPCClient({
      accessKeyId: call.key,
      accessKeySecret: call.secret,
      securityToken: call.token,
      endpoint: call.endpoint,
      apiVersion: "2014-05-26",
    });
    const agent = call.endpoint.startsWith("https:") ? new https.Agent({ ca: call.ca }) : undefined;
    const options = { method: this.way, agent };
    if (call.timeoutMs) options.timeout = call.timeoutMs;
    const body = await client.request(call.action, { ...texts(call.parameters), ...call.beside }, options);
    agent?.destroy();
    // It has no classes for answers: those of the newer SDK stand for what users write.
    const action = call.action[0].toUpperCase() + call.action.slice(1);
    assert.deepEqual(misfits(Ecs[`${action}ResponseBody`], body), []);
    return JSON.parse(JSON.stringify(body));
  }

  async expectError(call, expected) {
    const error = await raised(this.call(call));
    assert.deepEqual([error.name, error.code], [`${expected.code}Error`, expected.code], String(error));
    assert.equal(error.entry.response.statusCode, expected.status);
    expected.assertMessage(error.data.Message);
    assert.ok(error.message.startsWith(`${error.data.Message}, URL: ${call.endpoint}/`));
    assert.equal(error.entry.response.headers["x-acs-request-id"], error.data.RequestId);
    for (const [name, value] of Object.entries(expected.denied ?? {})) {
      assert.equal(error.data.AccessDeniedDetail[name], value);
    }
  }

  async expectLost(call) {
    const error = await raised(this.call(call));
    assert.equal(error.name, "RequestTimeoutError", String(error));
  }
}

/** It spreads lists out, and leaves objects to its user: as JSON. */
function texts(parameters) {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => {
    const isObject = typeof value === "object" && !Array.isArray(value);
    return [name, isObject ? JSON.stringify(value) : value];
  }));
}

module.exports = { Pop };
