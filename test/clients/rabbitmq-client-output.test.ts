// An application that uses rabbitmq-client prints the same with our hooks as without: stacks of errors
// and of its own callbacks, and the unhandled rejection that ends it.

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

test.each(findNodeVersions())("rabbitmq-client prints the same on Node $version", async (node) => {
  const args = [join(packages, "rabbitmq-client"), server.url("heartbeat=60")];
  const { plain, hooked, hook } = await runDifferential(appText, args, node.binary);
  for (const word of ["NOT_FOUND", "in a consumer", "CH_CLOSE", "refused NACK"]) {
    expect(plain.output).toContain(word);
  }
  expect(plain.output).toMatch(/^unhandled/m);
  expect(hook).toMatch(/^hook [1-9]\d+ records, 0 faults, rabbitmq-client\n$/);
  expect(hooked).toEqual(plain);
});

const appText = `
Error.stackTraceLimit = 100;
const [, , library, url] = process.argv;
const { Connection } = require(library);
const { inspect } = require("node:util");
const show = (what, promise) => promise.then(
  (value) => console.log(what, inspect(value)),
  (error) => console.log(what, error.code, error.stack),
);
(async () => {
  const connection = new Connection(url);
  connection.on("error", (error) => console.log("connection error", error.stack));
  const channelOf = async () => {
    const channel = await connection.acquire({ emitErrorsFromChannel: true });
    channel.on("error", (error) => console.log("channel error", error.stack));
    channel.on("close", () => console.log("channel close", new Error("on close").stack));
    return channel;
  };
  const channel = await channelOf();
  console.log(Object.keys(channel), Object.keys(channel._state), inspect(channel._state.unconfirmed));
  console.log(connection.eventNames(), Object.keys(channel._state.rpcBuffer));
  const { queue } = await channel.queueDeclare({ exclusive: true });
  const delivered = new Promise((resolve) => channel.basicConsume({ queue, consumerTag: "mine" }, (message) => {
    console.log(Object.keys(message), message.body, new Error("in a consumer").stack);
    channel.basicAck(message);
    resolve();
  }));
  await channel.basicPublish({ routingKey: queue }, "text");
  await delivered;
  await show("publish", channel.basicPublish({ routingKey: queue }, { an: "object" }));
  await Promise.all([1, 2, 3].map((i) => show("qos " + i, channel.basicQos({ prefetchCount: i }))));
  const picky = await channelOf();
  await picky.confirmSelect();
  const limits = { "x-max-length": 0, "x-overflow": "reject-publish" };
  const { queue: full } = await picky.queueDeclare({ exclusive: true, arguments: limits });
  await show("confirmed", picky.basicPublish({ routingKey: "nowhere" }, "x"));
  await show("refused", picky.basicPublish({ routingKey: full }, "x"));
  await show("bad exchange", picky.basicPublish({ exchange: "no.such.exchange" }, "x"));
  await Promise.all([
    show("missing", channel.queueDeclare({ queue: "no.such.queue", passive: true })),
    show("behind", channel.basicQos({ prefetchCount: 1 })),
  ]);
  await show("closed", channel.basicQos({ prefetchCount: 1 }));
  await show("closed publish", channel.basicPublish("nowhere", "x"));
  const other = await channelOf();
  await show("wrong argument", other.queueBind({ exchange: "amq.topic", routingKey: { bad: 1 } }));
  await other.close();
  const doubtful = await channelOf();
  doubtful.basicAck({ deliveryTag: 99 });
  await new Promise((resolve) => doubtful.once("close", resolve));
  await show("lazy", connection.queueDeclare({ queue: "no.such.queue", passive: true }));
  await connection.close();
  await show("after the end", connection.acquire());
  process.on("unhandledRejection", (error) => {
    console.log("unhandled", error.code, error.stack);
    process.exit(1);
  });
  new Connection(url).queueDeclare({ queue: "no.such.queue", passive: true });
})();`;
