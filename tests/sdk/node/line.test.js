"use strict";
// What networks do to calls (field-reports-api 1, 4, 11, 17).

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const dns = require("node:dns");
const { after, afterEach, before, beforeEach, mock, test } = require("node:test");
const $dara = require("@darabonba/typescript");

const { Line } = require("./line.js");
const { Pop } = require("./pop.js");
const { Sandboxes } = require("./sandbox.js");
const { Tea, raised } = require("./tea.js");

const DRIVERS = [new Tea("ACS3", false), new Tea("RPC", false), new Pop("POST", false), new Pop("GET", false)];
const sandboxes = new Sandboxes();
let sandbox;
let line;

before(async () => (sandbox = await sandboxes.ofKind("plain")));
beforeEach(async () => (line = await Line.open(sandbox)));
afterEach(async () => {
  line.close();
  await sandbox.rest();
});
after(() => sandboxes.stop());

function call(action, endpoint, parameters = {}) {
  const instance = action === "StartTerminalSession" ? { InstanceId: [sandbox.instance] } : {};
  return {
    endpoint,
    ca: sandbox.ca,
    region: sandbox.region,
    key: sandbox.ready.access_key_id,
    secret: sandbox.ready.access_key_secret,
    action,
    parameters: { RegionId: sandbox.region, ...instance, ...parameters },
    beside: {},
  };
}

const start = (parameters) => call("StartTerminalSession", line.endpoint, parameters);
const error = (code, assertMessage) => ({ status: 400, code, assertMessage });

for (const driver of DRIVERS) {
  test(`${driver.name}: a call that arrives twice as it is was used already`, async () => {
    line.plan = ["twice"];

    await driver.expectError(start(), error("SignatureNonceUsed", (told) => assert.match(told, /was used already\.$/)));

    assert.ok((await driver.call(start())).SessionId);
  });

  test(`${driver.name}: a call that another changes is told what was signed`, async () => {
    line.plan = ["change"];
    const told = driver.way === "ACS3" ? /server CanonicalRequest is \[POST\n/ : /server string to sign is:(GET|POST)&%2F&/;

    await driver.expectError(start({ Username: "root" }), error("SignatureDoesNotMatch", (text) => assert.match(text, told)));
  });

  test(`${driver.name}: who repeats a call whose answer was lost has one session`, async () => {
    line.plan = ["lose"];
    const token = { ClientToken: crypto.randomUUID() };

    const lost = await raised(driver.call(start(token)));
    const repeated = await driver.call(start(token));
    const sessions = await driver.call(call("DescribeTerminalSessions", line.endpoint));

    assert.match(lost.message, /socket hang up/);
    assert.deepEqual(sessions.Sessions.Session.map((one) => one.SessionId), [repeated.SessionId]);
  });
}

for (const driver of DRIVERS.slice(0, 2)) {
  test(`${driver.name}: repeats when it is told to, and signs that it does`, async () => {
    line.plan = ["busy"];
    const config = driver.config(start());
    const again = { maxAttempts: 2, exception: ["ServerError"], errorCode: ["ServiceUnavailable"] };
    config.retryOptions = new $dara.RetryOptions({ retryable: true, retryCondition: [again] });

    const answer = await driver.call(start(), config);

    assert.ok(answer.SessionId);
    assert.deepEqual(line.seen.map((headers) => headers["x-acs-retry-attempts"]), [undefined, "1"]);
  });
}

test("whoever calls by the cloud's own name has its own session URL", async () => {
  // A machine on which the cloud's names lead here. Neither SDK goes through a proxy.
  const here = (_, options, done) => done(null, options.all ? [{ address: "127.0.0.1", family: 4 }] : "127.0.0.1", 4);
  const lookup = mock.method(dns, "lookup", here);
  const { port } = new URL(sandbox.endpoint(true));
  const drivers = [new Tea("ACS3", true), new Tea("RPC", true), new Pop("GET", true)];

  for (const name of [`ecs.${sandbox.region}.aliyuncs.com`, `ecs-${sandbox.region}.aliyuncs.com`]) {
    for (const driver of drivers) {
      const answer = await driver.call(call("StartTerminalSession", `https://${name}:${port}`));

      assert.equal(new URL(answer.WebSocketUrl).host, `${sandbox.region}.axt.aliyuncs.com`);
    }
  }
  lookup.mock.restore();
});
