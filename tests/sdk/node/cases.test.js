"use strict";
// Each case of the table, with both official Node SDKs, unmodified, and in both their ways.

const { execFileSync } = require("node:child_process");
const { after, test } = require("node:test");

const { Pop } = require("./pop.js");
const { Sandboxes } = require("./sandbox.js");
const { CASES, Run, reasonNotTo } = require("./table.js");
const { Tea } = require("./tea.js");

const DRIVERS = [new Tea("ACS3", true), new Tea("RPC", false), new Pop("POST", true), new Pop("GET", false)];
// What a case can need: an action or a limit.
const listed = (...args) => execFileSync(process.env.AXT, args, { encoding: "utf8" });
const told = listed("api", "--actions") + listed("up", "--help");
const THERE = new Set(told.split("\n").map((line) => line.trim().split(" ")[0]));

const sandboxes = new Sandboxes();
after(() => sandboxes.stop());

for (const driver of DRIVERS) {
  for (const testCase of CASES) {
    if (reasonNotTo(testCase, driver.name) || (testCase.needs && !THERE.has(testCase.needs))) continue;
    test(`${driver.name}: ${testCase.name}`, async () => {
      await new Run(driver, await sandboxes.ofKind(testCase.sandbox ?? "plain")).case(testCase);
    });
  }
}
