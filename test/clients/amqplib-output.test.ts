// An application that uses amqplib prints the same with our hooks as without: stacks of errors and of
// its own callbacks, order of events, and the unhandled rejection that ends it.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { packages } from "../support/hooked-amqp";
import { findNodeVersions } from "../support/node-versions";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";
import { runDifferential } from "../support/run-differential";

let server: RabbitServer;
beforeAll(async () => {
  server = await startRabbitServer();
});
afterAll(() => server.stop());

const cases = [
  ...["amqplib010", "amqplib1"].map((library) => ({ library, node: null })),
  ...findNodeVersions().map((node) => ({ library: "amqplib2", node })),
].map((one) => ({ ...one, on: one.node?.version ?? process.versions.node }));

test.each(cases)("$library prints the same on Node $on", async ({ library, node }) => {
  const args = [join(packages, library), server.url("heartbeat=60")];
  const { plain, hooked, hook } = await runDifferential(appText, args, node?.binary);
  for (const word of ["NOT_FOUND", "in a consumer", "on drain", "Channel closed", "wrong type"]) {
    expect(plain.output).toContain(word);
  }
  expect(plain.output).toMatch(/^unhandled/m);
  expect(hook).toMatch(/^hook [1-9]\d+ records, 0 faults, amqplib\n$/);
  expect(hooked).toEqual(plain);
});

const appText = `
Error.stackTraceLimit = 100;
const [, , library, url] = process.argv;
const amqp = require(library);
const callbackApi = require(library + "/callback_api.js");
const { inspect } = require("node:util");
const show = (what, promise) => promise.then(
  (value) => console.log(what, value),
  (error) => console.log(what, error.code, error.stack, error.stackAtStateChange),
);
const next = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));
async function channelOf(connection, kind = "createChannel") {
  const channel = await connection[kind]();
  channel.on("error", (error) => console.log("channel error", error.stack));
  channel.on("close", () => console.log("channel close", new Error("on close").stack));
  return channel;
}
(async () => {
  const connection = await amqp.connect(url);
  connection.on("error", (error) => console.log("connection error", error.stack));
  connection.on("close", (error) => console.log("connection close", error && error.stack));
  const channel = await channelOf(connection);
  console.log(Object.keys(channel), Object.keys(channel.connection), Object.keys(channel.pending));
  const { queue } = await channel.assertQueue("loophound.output", { autoDelete: true });
  const delivered = new Promise((resolve) => {
    channel.consume(queue, (message) => {
      console.log(Object.keys(message), inspect(message.properties), new Error("in a consumer").stack);
      channel.ack(message);
      resolve();
    });
  });
  channel.sendToQueue(queue, Buffer.from("text"), { headers: { a: 1 } });
  await delivered;
  await show("wrong argument", (async () => (await channelOf(connection)).assertQueue(42))());
  try { channel.publish("", queue, "no buffer"); } catch (error) { console.log(error.stack); }
  const full = new Promise((resolve) => channel.once("drain", () => {
    // Beyond it: by an immediate or by the socket, which is a matter of moments.
    resolve(console.log(new Error("on drain").stack.split("at Mux._readIncoming")[0]));
  }));
  const large = Buffer.alloc(1000000);
  for (let i = 0; i < 3000; i++) channel.publish("", "nowhere", i < 20 ? large : Buffer.from("x"));
  await full;
  await Promise.all([1, 2, 3].map((i) => show("qos " + i, channel.prefetch(i))));
  await show("confirm", (await channelOf(connection, "createConfirmChannel")).waitForConfirms());
  const lost = [show("missing", channel.checkQueue("no.such.queue")), show("behind", channel.prefetch(1))];
  await Promise.all(lost);
  try { channel.ack({ fields: { deliveryTag: 1 } }); } catch (error) { console.log(error.stack); }
  await show("closed", (async () => channel.prefetch(1))());
  await new Promise((resolve) => callbackApi.connect(url, (failed, other) => {
    other.createChannel((error, callbacks) => {
      console.log(new Error("in a callback").stack);
      callbacks.assertQueue("", { exclusive: true }, (error, ok) => {
        console.log(error, Object.keys(ok), new Error("in a callback").stack);
        other.close(resolve);
      });
    });
  }));
  await show("double ack", (async () => {
    const doubtful = await channelOf(connection);
    doubtful.ack({ fields: { deliveryTag: 99 } });
    await next(doubtful, "close");
  })());
  await connection.close();
  await show("after the end", (async () => connection.createChannel())());
  process.on("unhandledRejection", (error) => {
    console.log("unhandled", error.stack);
    process.exit(1);
  });
  const last = await (await amqp.connect(url)).createChannel();
  last.on("error", () => {});
  last.checkQueue("no.such.queue");
})();`;
