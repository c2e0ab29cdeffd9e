"use strict";
// The programs of sdk-examples, as they stand there, in the environment of `axt env`.

const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const path = require("node:path");
const { after, test } = require("node:test");
const { promisify } = require("node:util");

const { GUARD_MS, HERE, Sandboxes } = require("./sandbox.js");

const EXAMPLES = path.join(path.dirname(path.dirname(HERE)), "sdk-examples");
const run = promisify(execFile);
const sandboxes = new Sandboxes();
after(() => sandboxes.stop());

for (const program of ["node_tea.js", "node_pop.js"]) {
  test(program, async () => {
    const { ready } = await sandboxes.ofKind("plain");
    const state = { ...process.env, AXT_STATE_DIR: path.dirname(path.dirname(ready.ca_cert)) };
    const { stdout: told } = await run(process.env.AXT, ["env"], { env: state });
    const printed = Object.fromEntries([...told.matchAll(/^export (\w+)=(.*)$/gm)].map(([, ...pair]) => pair));

    const ran = await run(process.execPath, [path.join(EXAMPLES, program)], {
      env: { ...process.env, ...printed, NODE_TEST_CONTEXT: "" },
      timeout: GUARD_MS,
    });

    assert.equal(ran.stderr, "");
    assert.match(ran.stdout, /^s-\w+ wss:\/\/localhost:\d+\/session\?sessionId=s-\w+&token=\S+\n$/);
  });
}
