"use strict";
// The table of cases, which the Python suite reads too, and how a case is carried out.

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { mock } = require("node:test");
const { setTimeout: pause } = require("node:timers/promises");

const { GUARD_MS, HERE } = require("./sandbox.js");
const { at, compare, shown } = require("./shape.js");

const read = (name) => JSON.parse(fs.readFileSync(path.join(HERE, "cases", `${name}.json`)));
const { errors: ERRORS } = read("errors");
const { answers: ANSWERS } = read("answers");
const CASES = ["start", "gateway", "actions", "managed", "commands"].flatMap((name) => read(name).cases);

/** Why an SDK (`node-tea`), or a way of calling with it (`node-tea/ACS3`), cannot do it. */
function reasonNotTo(testCase, way) {
  return testCase.not?.[way] ?? testCase.not?.[way.split("/")[0]];
}

/** A case under way, with what it has kept so far. */
class Run {
  constructor(driver, sandbox) {
    this.driver = driver;
    this.sandbox = sandbox;
    this.words = {
      instance: sandbox.instance,
      region: sandbox.region,
      axt: sandbox.sessionBase(driver.tls),
      host: new URL(sandbox.endpoint(driver.tls)).host,
      unique: crypto.randomUUID().replaceAll("-", ""),
    };
  }

  async case(testCase) {
    this.opened = [];
    try {
      for (const step of testCase.steps) await this.step(step);
    } finally {
      this.opened.forEach((socket) => socket.destroy());
      await this.sandbox.rest();
    }
  }

  async step(step) {
    if (step.region) await this.sandbox.changeRegion(step.region);
    else if (step.instance) await this.sandbox.changeInstance(step.instance);
    else if (step.advance_ms) await this.sandbox.advance(step.advance_ms);
    else if (step.register) this.keep(step, await this.sandbox.register(this.fill(step.register)));
    else if (step.open) this.opened.push(await this.sandbox.open(this.fill(step.open)));
    else await this.call(step);
  }

  async call(step) {
    const call = this.prepare(step);
    // A machine whose clock is wrong.
    if (step.clock_s) mock.timers.enable({ apis: ["Date"], now: Date.now() + step.clock_s * 1000 });
    try {
      if (step.lost_after_ms) await this.driver.expectLost(call);
      else if (step.error) await this.driver.expectError(call, this.expected(step));
      else await this.answer(step, call);
    } finally {
      if (step.clock_s) mock.timers.reset();
    }
  }

  async answer(step, call) {
    const deadline = performance.now() + GUARD_MS;
    let body;
    for (;;) {
      body = await this.driver.call(call);
      if (Object.entries(step.until ?? {}).every(([path, value]) => at(body, path) === value)) break;
      assert.ok(performance.now() < deadline, `${JSON.stringify(step.until)}: never in ${JSON.stringify(body)}`);
      await pause(20);
    }
    assert.match(body.RequestId, /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    compare(body, ANSWERS[step.answers ?? call.action]);
    for (const path of step.shows ?? []) assert.ok(shown(body, path), `${path} is not in ${JSON.stringify(body)}`);
    this.keep(step, body);
    for (const [path, value] of Object.entries(step.is ?? {})) assert.deepEqual(at(body, path), this.fill(value), path);
  }

  /** A call as a user of an SDK thinks of it, names and values as the page has them. */
  prepare(step) {
    const { ready } = this.sandbox;
    const parameters = { RegionId: this.sandbox.region, ...this.fill(step.with ?? {}) };
    const endpoint = this.sandbox.endpoint(this.driver.tls);
    return {
      endpoint: step.at ? `${endpoint.split("//")[0]}//${this.fill(step.at)}` : endpoint,
      ca: this.sandbox.ca,
      region: this.sandbox.region,
      key: step.as ?? ready.access_key_id,
      secret: step.secret ?? (step.as ? "example-secret" : ready.access_key_secret),
      token: step.token,
      action: step.call,
      parameters: Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null)),
      beside: this.fill(step.beside ?? {}),
      timeoutMs: step.lost_after_ms,
    };
  }

  /** The error that the page documents. */
  expected(step) {
    const [status, documented] = ERRORS[step.error];
    const [code, message] = step.instead?.[this.driver.sdk] ?? [step.error, step.message ?? documented];
    const wanted = this.fill(message);
    return {
      status: step.status ?? status,
      code,
      denied: step.denied,
      assertMessage(told) {
        if (wanted.endsWith("*")) assert.ok(told.startsWith(wanted.slice(0, -1)), told);
        else assert.equal(told, wanted);
      },
    };
  }

  keep(step, body) {
    for (const [name, path] of Object.entries(step.keep ?? {})) {
      this.words[name] = at(body, path);
      assert.ok(this.words[name], `${path} is empty in ${JSON.stringify(body)}`);
    }
  }

  /** Puts what was kept for `{name}`, and so many of a letter for `{x*9}`. */
  fill(value) {
    if (Array.isArray(value)) return value.map((one) => this.fill(one));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.fill(one)]));
    }
    if (typeof value !== "string") return value;
    return value
      .replace(/\{(.)\*(\d+)\}/gu, (_, letter, count) => letter.repeat(Number(count)))
      .replace(/\{([a-z]+)\}/g, (_, name) => this.words[name]);
  }
}

module.exports = { CASES, Run, reasonNotTo };
