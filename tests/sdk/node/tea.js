"use strict";
// @alicloud/ecs20140526: requests and answers are models, errors classes of its runtime.

const assert = require("node:assert/strict");
const Ecs = require("@alicloud/ecs20140526");
const { $OpenApiUtil } = require("@alicloud/openapi-core");
const $dara = require("@darabonba/typescript");

const { misfits } = require("./shape.js");

// What ACS3 has in headers.
const HEADERS = {
  Action: "x-acs-action",
  Version: "x-acs-version",
  Timestamp: "x-acs-date",
  SignatureNonce: "x-acs-signature-nonce",
};

/** The client, which lets the test see the body behind the model. */
class Recorded extends Ecs.default {
  async callApi(params, request, runtime) {
    this.raw = await super.callApi(params, request, runtime);
    return this.raw;
  }
}

class Tea {
  sdk = "node-tea";

  constructor(way, tls) {
    Object.assign(this, { way, tls, name: `${this.sdk}/${way}` });
  }

  config(call) {
    const endpoint = new URL(call.endpoint);
    const config = new $OpenApiUtil.Config({
      accessKeyId: call.key,
      accessKeySecret: call.secret,
      securityToken: call.token,
      regionId: call.region,
      endpoint: endpoint.host,
      protocol: endpoint.protocol.slice(0, -1),
    });
    if (endpoint.protocol === "https:") config.ca = call.ca;
    if (this.way === "RPC") config.signatureAlgorithm = "v2";
    return config;
  }

  async call(call, config = this.config(call)) {
    const client = new Recorded(config);
    const Request = Ecs[`${call.action}Request`];
    if (Request === undefined) return this.generic(client, call);
    const request = $dara.cast(call.parameters, new Request({}));
    const method = `${call.action[0].toLowerCase()}${call.action.slice(1)}WithOptions`;
    const answer = await client[method](request, this.runtime(call));
    const { body } = client.raw;
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers["x-acs-request-id"], answer.body.requestId);
    assert.deepEqual(misfits(answer.body.constructor, body), []);
    assert.deepEqual(answer.body.toMap(), body);
    return body;
  }

  async generic(client, call) {
    const params = new $OpenApiUtil.Params({
      action: call.action, version: "2014-05-26", protocol: "HTTPS", pathname: "/", method: "POST",
      authType: "AK", style: "RPC", reqBodyType: "formData", bodyType: "json",
    });
    const query = Object.fromEntries(Object.entries(call.parameters).map(([name, value]) =>
      Array.isArray(value) ? [`${name}.1`, value[0]] : [name, value]));
    const request = new $OpenApiUtil.OpenApiRequest({ query });
    return (await client.callApi(params, request, this.runtime(call))).body;
  }

  runtime(call) {
    const { beside } = call;
    const headers = Object.fromEntries(Object.entries(beside).map(([name, value]) => [HEADERS[name], value]));
    return new $dara.RuntimeOptions({
      readTimeout: call.timeoutMs,
      connectTimeout: call.timeoutMs,
      extendsParameters: new $dara.ExtendsParameters(this.way === "RPC" ? { queries: beside } : { headers }),
    });
  }

  async expectError(call, expected) {
    const error = await raised(this.call(call));
    if (expected.code.startsWith("Throttling")) {
      assert.equal(error.name, "ThrottlingError", String(error));
      assert.ok(error.retryAfter > 0);
    } else {
      assert.equal(error.name, expected.status >= 500 ? "ServerError" : "ClientError", String(error));
    }
    assert.deepEqual([error.code, error.statusCode], [expected.code, expected.status]);
    const [, status, message, requestId] = /^\S+: code: (\d+), (.*) request id: (\S+)$/s.exec(error.message);
    assert.equal(Number(status), expected.status);
    expected.assertMessage(message);
    assert.equal(requestId, error.requestId);
    assert.equal(requestId, error.data.RequestId);
    assert.equal(error.data.HostId, new URL(call.endpoint).host);
    for (const [name, value] of Object.entries(expected.denied ?? {})) {
      assert.equal(error.accessDeniedDetail[name], value);
    }
  }

  async expectLost(call) {
    const error = await raised(this.call(call));
    assert.match(error.message, /^(Read|Connect)Timeout/);
  }
}

/** What a promise is rejected with. */
async function raised(promise) {
  const answer = await promise.then((body) => ({ body }), (error) => ({ error }));
  assert.ok("error" in answer, `not refused: ${JSON.stringify(answer.body)}`);
  return answer.error;
}

module.exports = { Tea, raised };
