"use strict";
// What a browser can do with a session URL, as a program of its own: a WebSocket as pages have it, with no
// headers to choose, no pings to send and no bytes to alter. Its orders come by the environment, and what it saw
// goes to stdout as JSON. See browser.test.js.

const { URL: url, TYPED: typed, UNTIL: until, HOW: how, CODE: code } = process.env;
const OUTPUT = 1;

/** A frame from the client (wire-protocol 2), with both ids empty. */
function frame(type, sequence, payload) {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(type, 0);
  header.write("1.01", 4);
  // A small date: as text, every byte of it is a character.
  header.writeBigUInt64LE(1n, 10);
  header.writeBigInt64LE(BigInt(sequence), 18);
  header.writeUInt32LE(payload.length, 26);
  return Buffer.concat([header, payload]);
}

const socket = new WebSocket(url);
socket.binaryType = "arraybuffer";
const seen = { screen: "", kinds: [] };

socket.onopen = () => {
  const message = frame(0, 0, Buffer.from(typed));
  socket.send(how === "text" ? message.toString("latin1") : message);
};
socket.onmessage = ({ data }) => {
  if (!(data instanceof ArrayBuffer)) return void seen.kinds.push("text");
  const message = Buffer.from(data);
  seen.kinds.push(message.readUInt32LE(0));
  if (message.readUInt32LE(0) !== OUTPUT) return;
  seen.screen += message.subarray(30).toString();
  if (!code || !seen.screen.includes(until)) return;
  if (code === "none") socket.close();
  else socket.close(Number(code), "the page was left");
};
socket.onerror = (event) => (seen.error = String(event.message ?? event.error ?? "error"));
socket.onclose = ({ code, reason, wasClean }) => {
  process.stdout.write(JSON.stringify({ ...seen, code, reason, wasClean }));
};
