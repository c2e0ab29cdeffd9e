"use strict";
// The shape of an answer: against the page, and against an SDK's own model class.

const assert = require("node:assert/strict");

/** Asserts that a value has each documented field, of its type, and no other. */
function compare(value, shape, where = "answer") {
  if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value), where);
    assert.ok(shape.length > 0 || value.length === 0, `${where}: has something`);
    value.forEach((one) => compare(one, shape[0], `${where}[]`));
  } else if (typeof shape === "object") {
    const documented = new Map(Object.entries(shape).map(([name, inner]) => [name.replace("?", ""), inner]));
    for (const name of Object.keys(value)) assert.ok(documented.has(name), `${where}: ${name} is not documented`);
    for (const [name, inner] of documented) {
      if (!(name in value) && `${name}?` in shape) continue;
      assert.ok(name in value, `${where}: ${name} is missing`);
      compare(value[name], inner, `${where}.${name}`);
    }
  } else {
    assert.equal(typeof value, shape, where);
  }
}

/** The fields that a model class does not know, or knows as of another type. */
function misfits(model, value, where = "") {
  const attributes = new Map(Object.entries(model.names()).map(([attribute, name]) => [name, attribute]));
  return Object.entries(value).flatMap(([name, inner]) => {
    const attribute = attributes.get(name);
    if (attribute === undefined) return [`${where}${name}: unknown to ${model.name}`];
    return misfitsOf(model.types()[attribute], inner, `${where}${name}`);
  });
}

function misfitsOf(type, value, where) {
  if (type?.type === "array") return value.flatMap((one) => misfitsOf(type.itemType, one, `${where}[]`));
  if (typeof type === "function") return misfits(type, value, `${where}.`);
  return typeof value === type ? [] : [`${where}: ${JSON.stringify(value)} for ${type}`];
}

/** What stands at `A.B.0.C`; nothing where there is none. */
function at(value, path) {
  return path.split(".").reduce((inner, step) => inner?.[step], value);
}

/** Whether there is a value at `A.B[].C`, in one item at least of each list. */
function shown(value, path) {
  const [step, ...rest] = path.split(".");
  const inner = value?.[step.replace("[]", "")];
  const holds = (one) => (rest.length === 0 ? one !== undefined : shown(one, rest.join(".")));
  return step.endsWith("[]") ? (inner ?? []).some(holds) : holds(inner);
}

module.exports = { at, compare, misfits, shown };
