"use strict";
// A line between an SDK and the sandbox that does to calls what networks do.

const http = require("node:http");
const { once } = require("node:events");

const BUSY = JSON.stringify({
  RequestId: "00000000-0000-4000-8000-000000000000", Code: "ServiceUnavailable", Message: "Not now.",
});

/**
 * An HTTP server that hands calls on. Of each, the next word of `plan` says what becomes of it.
 *
 * `lose`: it arrives, its answer does not. `twice`: it arrives twice, as it is, and the second answer
 * comes back. `change`: something in it is another when it arrives. `busy`: whoever stands in between
 * answers 503. Afterwards everything passes.
 */
class Line {
  plan = [];
  seen = [];

  static async open(sandbox) {
    const line = new Line();
    line.target = new URL(sandbox.endpoint(false));
    line.server = http.createServer((call, answer) => line.serve(call, answer).catch(() => answer.destroy()));
    line.server.listen(0, "127.0.0.1");
    await once(line.server, "listening");
    line.endpoint = `http://127.0.0.1:${line.server.address().port}`;
    return line;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async serve(call, answer) {
    const what = this.plan.shift() ?? "pass";
    this.seen.push(call.headers);
    const body = Buffer.concat(await call.toArray());
    if (what === "busy") {
      answer.writeHead(503, { "Content-Type": "application/json", Connection: "close" }).end(BUSY);
      return;
    }
    const changed = (text) => (what === "change" ? text.replace("Username=root", "Username=toor") : text);
    const sent = [call, changed(call.url), Buffer.from(changed(body.toString("latin1")), "latin1")];
    if (what === "twice") await this.passOn(...sent);
    const { status, headers, text } = await this.passOn(...sent);
    if (what === "lose") answer.destroy();
    else answer.writeHead(status, { ...headers, connection: "close" }).end(text);
  }

  async passOn({ method, headers }, path, body) {
    const { hostname, port } = this.target;
    const onward = http.request({ hostname, port, method, path, headers, agent: false }).end(body);
    const [answer] = await once(onward, "response");
    return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(await answer.toArray()) };
  }
}

module.exports = { Line };
