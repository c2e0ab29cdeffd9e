"use strict";
// A session URL in a browser's hands (field-reports 17): Node's own WebSocket is the one that pages have.

const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const path = require("node:path");
const { after, afterEach, before, test } = require("node:test");
const { promisify } = require("node:util");

const { GUARD_MS, Sandboxes } = require("./sandbox.js");
const { Tea } = require("./tea.js");

const driver = new Tea("ACS3", true);
const sandboxes = new Sandboxes();
let sandbox;

before(async () => (sandbox = await sandboxes.ofKind("plain")));
afterEach(() => sandbox.rest());
after(() => sandboxes.stop());

function call(action, parameters) {
  return driver.call({
    endpoint: sandbox.endpoint(true),
    ca: sandbox.ca,
    region: sandbox.region,
    key: sandbox.ready.access_key_id,
    secret: sandbox.ready.access_key_secret,
    action,
    parameters: { RegionId: sandbox.region, ...parameters },
    beside: {},
  });
}

const start = (line) => call("StartTerminalSession", { InstanceId: [sandbox.instance], CommandLine: line });

/** Has a page do something with a session URL, and answers what it saw. */
async function page(session, orders) {
  const program = path.join(__dirname, "browser.js");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--no-warnings", "--experimental-websocket", program],
    {
      timeout: GUARD_MS,
      env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: sandbox.ready.ca_cert, URL: session.WebSocketUrl, ...orders },
    },
  );
  return JSON.parse(stdout);
}

/** The reasons in the history of the session's connections, once there are so many. */
async function reasons(session, count) {
  const deadline = Date.now() + GUARD_MS;
  for (;;) {
    const answer = await call("DescribeTerminalSessions", { SessionId: session.SessionId });
    const ended = answer.Sessions.Session.flatMap((one) => one.Connections.Connection)
      .map((one) => one.ClosedReason)
      .filter(Boolean);
    if (ended.length >= count) return ended;
    assert.ok(Date.now() < deadline, `it has ended for ${ended}`);
  }
}

for (const how of ["binary", "text"]) {
  test(`a page types in ${how} messages, and is told by a clean close how the shell ended`, async () => {
    const session = await start("read word; echo \"<$word>\"; exit 0");

    const seen = await page(session, { HOW: how, TYPED: "typed\n" });

    assert.ok(seen.screen.includes("<typed>"), JSON.stringify(seen));
    assert.ok(!seen.kinds.includes("text"), "it is sent binary messages alone");
    assert.deepEqual([seen.code, seen.reason, seen.wasClean], [1000, "Exit", true]);
  });
}

test("a page that is left, and every code that a page can close with, ends its connection in order", async () => {
  const session = await start("read word; echo \"<$word>\"; exec sleep 1000");
  const codes = ["none", "1000", "3000", "4999"];

  for (const code of codes) {
    const seen = await page(session, { TYPED: "typed\n", UNTIL: "<typed>", CODE: code });
    assert.equal(seen.wasClean, true, `${code}: ${JSON.stringify(seen)}`);
  }

  assert.deepEqual(await reasons(session, codes.length), codes.map(() => "ClientClosed"));
});
