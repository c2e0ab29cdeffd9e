"use strict";
// A sandbox: `axt up` as a user starts it, on free ports and in a folder of its own.

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const os = require("node:os");
const path = require("node:path");
const { once } = require("node:events");
const { setTimeout: pause } = require("node:timers/promises");

const HERE = path.dirname(__dirname);
const GUARD_MS = 30_000;
const RULES = JSON.parse(fs.readFileSync(path.join(HERE, "sandboxes.json")));
const GOLDEN = path.join(path.dirname(HERE), "data", "golden-vectors.json");

/** A running `axt up`, what its ready file says, and what can be done to it beside the API. */
class Sandbox {
  static async start(flags) {
    const sandbox = new Sandbox();
    const folder = (sandbox.folder = fs.mkdtempSync(path.join(os.tmpdir(), "axt-sdk-")));
    const readyFile = path.join(folder, "ready.json");
    const log = path.join(folder, "up.log");
    const out = fs.openSync(log, "w");
    sandbox.process = spawn(
      process.env.AXT,
      [
        "up", "--ephemeral", "--ready-file", readyFile, "--config", path.join(HERE, "sandbox.toml"),
        "--api-listen", "127.0.0.1:0", "--axt-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
        ...flags,
      ],
      {
        stdio: ["ignore", out, out],
        env: { ...process.env, AXT_STATE_DIR: path.join(folder, "state"), SHELL: "/bin/sh" },
      },
    );
    fs.closeSync(out);
    const deadline = Date.now() + GUARD_MS;
    while (!fs.existsSync(readyFile)) {
      const isLate = sandbox.process.exitCode !== null || Date.now() > deadline;
      if (isLate) {
        sandbox.process.kill("SIGKILL");
        throw new Error(`axt up is not ready:\n${fs.readFileSync(log)}`);
      }
      await pause(20);
    }
    sandbox.ready = JSON.parse(fs.readFileSync(readyFile));
    sandbox.region = sandbox.ready.region;
    sandbox.instance = sandbox.ready.instances[0].id;
    sandbox.ca = fs.readFileSync(sandbox.ready.ca_cert, "utf8");
    return sandbox;
  }

  async stop() {
    const ended = once(this.process, "exit");
    this.process.kill("SIGINT");
    const guard = setTimeout(() => this.process.kill("SIGKILL"), GUARD_MS);
    const [code] = await ended;
    clearTimeout(guard);
    fs.rmSync(this.folder, { recursive: true });
    assert.ok([0, 130].includes(code), `it ended with ${code}`);
  }

  /** Where the API is: `https://localhost:PORT` or `http://127.0.0.1:PORT`. */
  endpoint(tls) {
    return this.ready[tls ? "api_https" : "api_http"];
  }

  /** What session URLs begin with: the host that was called, and the axt listener's port. */
  sessionBase(tls) {
    return `wss://${new URL(this.endpoint(tls)).hostname}:${new URL(this.ready.axt).port}`;
  }

  async changeRegion(change) {
    await send("PATCH", `${this.ready.admin}/v1/regions/${this.region}`, change);
  }

  async changeInstance(change) {
    await send("PATCH", `${this.ready.admin}/v1/instances/${this.instance}`, change);
  }

  /** Moves the clock that limits are judged by. */
  async advance(milliseconds) {
    await send("POST", `${this.ready.admin}/v1/clock`, { advance_ms: milliseconds });
  }

  /** Takes back what a case did: sessions, ClientTokens, and what became of region and instance. */
  async rest() {
    await send("POST", `${this.ready.admin}/v1/reset`, {});
    await this.changeRegion(RULES.rest.region);
    await this.changeInstance(RULES.rest.instance);
  }

  /** Registers a machine, by what an official agent was seen to send. */
  async register({ activation, code }) {
    const { vectors } = JSON.parse(fs.readFileSync(GOLDEN));
    const sent = vectors.find((one) => one.name === "http_register").decoded;
    const body = { ...JSON.parse(sent.body), activationId: activation, activationCode: code };
    return send("POST", this.ready.api_http + sent.path, { ...body, regionId: this.region, instanceName: "" });
  }

  /** Opens a session's websocket and gives its socket, on which nothing is said. */
  async open(url) {
    const request = https.request(url.replace("wss:", "https:"), {
      ca: this.ca,
      agent: false,
      timeout: GUARD_MS,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": crypto.randomBytes(16).toString("base64"),
      },
    });
    const opened = once(request, "upgrade");
    request.end();
    const [, socket] = await opened;
    socket.on("error", () => {});
    socket.resume();
    return socket;
  }
}

async function send(method, url, body) {
  const signal = AbortSignal.timeout(GUARD_MS);
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url, { method, headers, signal, body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** Sandboxes of the kinds of `sandboxes.json`, each started when first asked for. */
class Sandboxes {
  running = new Map();

  async ofKind(kind) {
    if (!this.running.has(kind)) this.running.set(kind, await Sandbox.start(RULES.flags[kind]));
    return this.running.get(kind);
  }

  async stop() {
    for (const sandbox of this.running.values()) await sandbox.stop();
  }
}

module.exports = { GUARD_MS, HERE, Sandboxes };
