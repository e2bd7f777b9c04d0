// Brokers that are killed, and what is built on the clients: every record settles, once.

import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import type { AmqpConnectionManager } from "amqp-connection-manager";
import type { ChannelModel, Channel as PlainChannel } from "amqplib";
import type * as callbackApi from "amqplib/callback_api";
import type { Connection } from "rabbitmq-client";
import { amqplibAdapter } from "../../agent/instrument/amqplib";
import { rabbitmqClientAdapter } from "../../agent/instrument/rabbitmq-client";
import {
  endings,
  expectPhasesInOrder,
  type HookedAmqp,
  hookAmqp,
  packages,
  until,
} from "../support/hooked-amqp";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(): Promise<RabbitServer> {
  const server = await startRabbitServer();
  cleanups.push(server.stop);
  return server;
}

/** For those that leave the broker alive. */
let shared: RabbitServer | null = null;
afterAll(() => shared?.stop());

async function sharedServer(): Promise<RabbitServer> {
  shared ??= await startRabbitServer();
  return shared;
}

function hook(...args: Parameters<typeof hookAmqp>): HookedAmqp {
  const client = hookAmqp(...args);
  cleanups.push(client.uninstall);
  return client;
}

/** A request, a publish and a delivery of each kind, under way when the broker is killed. */
const underWay = ["basic.deliver", "basic.publish-confirm", "queue.declare-passive"] as const;

function expectFlushed(client: HookedAmqp): void {
  const rows = client.records();
  for (const name of underWay) expect([name, endings(rows, name)]).toEqual([name, ["flushed"]]);
  const others = rows.filter(({ command }) => !underWay.some((name) => name === command));
  expect(new Set(others.map(({ state }) => state))).toEqual(new Set(["replied"]));
  expect(client.heard()).toMatchObject([{ kind: "connection-closed" }]);
}

/** It stands still first, so that nothing is answered any more, and then it is gone. */
async function freeze(server: RabbitServer): Promise<void> {
  process.kill(server.pid, "SIGSTOP");
}

test.each(["amqplib010", "amqplib1", "amqplib2"])(
  "%s: what was under way is flushed when the broker is killed",
  async (library) => {
    const server = await startServer();
    const client = hook(amqplibAdapter, join(packages, library));
    const { connect } = require(join(packages, library)) as {
      connect(url: string): Promise<ChannelModel>;
    };
    const connection = await connect(server.url("heartbeat=60"));
    const errors: string[] = [];
    connection.on("error", (error: Error) => errors.push(error.message));
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => undefined);
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.consume(queue, () => undefined);
    const other = await connection.createChannel();
    other.sendToQueue(queue, Buffer.from("x"));
    await until(() => endings(client.records(), "basic.deliver").length === 1);
    await freeze(server);
    const confirm = new Promise((resolve) =>
      channel.publish("", queue, Buffer.from("x"), {}, resolve),
    );
    const lost = Promise.allSettled([channel.checkQueue(queue)]);
    await until(() => client.records().every(({ sentMs }) => sentMs !== null));
    await server.kill();
    expect(await lost).toMatchObject([{ status: "rejected" }]);
    expect(String(await confirm)).toContain("channel closed");
    await until(() => client.heard().length === 1);
    await client.settled();
    expectFlushed(client);
    expect(errors.length).toBe(1);
  },
);

test("rabbitmq-client: what was under way is flushed when the broker is killed", async () => {
  const server = await startServer();
  const client = hook(rabbitmqClientAdapter, join(packages, "rabbitmq-client"));
  const loaded = require(join(packages, "rabbitmq-client")) as {
    Connection: new (options: object) => Connection;
  };
  const connection = new loaded.Connection({ url: server.url("heartbeat=60") });
  connection.on("error", () => undefined);
  cleanups.push(() => connection.unsafeDestroy());
  const channel = await connection.acquire();
  await channel.confirmSelect();
  const { queue } = await channel.queueDeclare({ exclusive: true });
  await channel.basicConsume({ queue }, () => undefined);
  const other = await connection.acquire();
  await other.basicPublish(queue, "x");
  await until(() => endings(client.records(), "basic.deliver").length === 1);
  await freeze(server);
  const lost = Promise.allSettled([
    channel.basicPublish(queue, "x"),
    channel.queueDeclare({ queue, passive: true }),
  ]);
  await until(() => client.records().every(({ sentMs }) => sentMs !== null));
  await server.kill();
  expect(await lost).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
  await until(() => client.heard().length === 1);
  await client.settled();
  expectFlushed(client);
});

test("amqplib's callbacks are seen as its promises are", async () => {
  const server = await sharedServer();
  const root = join(packages, "amqplib2");
  const client = hook(amqplibAdapter, root);
  const api = require(join(root, "callback_api.js")) as typeof callbackApi;
  await new Promise<void>((resolve) => {
    api.connect(server.url("heartbeat=60"), (_failed, connection) => {
      connection.createConfirmChannel((_error, channel) => {
        channel.assertQueue("", { exclusive: true }, (_refused, { queue }) => {
          channel.sendToQueue(queue, Buffer.from("x"), {}, () => {
            channel.consume(queue, (message) => {
              if (message !== null) channel.ack(message);
              channel.close(() => connection.close(() => resolve()));
            });
          });
        });
      });
    });
  });
  const rows = await client.settled();
  expect(rows.map(({ command, state }) => [command, state])).toEqual([
    ["channel.open", "replied"],
    ["confirm.select", "replied"],
    ["queue.declare", "replied"],
    ["basic.publish-confirm", "replied"],
    ["basic.consume", "replied"],
    ["basic.deliver", "replied"],
    ["channel.close", "replied"],
  ]);
  expectPhasesInOrder(rows);
});

test("amqp-connection-manager is seen through the amqplib that it uses, reconnects and all", async () => {
  const server = await sharedServer();
  const client = hook(amqplibAdapter, join(packages, "amqplib"));
  const manager = (
    require(join(packages, "amqp-connection-manager")) as {
      connect(urls: readonly string[], options: object): AmqpConnectionManager;
    }
  ).connect([server.url("heartbeat=60")], { reconnectTimeInSeconds: 0.1 });
  cleanups.push(() => manager.close());
  const queue = "loophound.managed";
  const channel = manager.createChannel({
    setup: (inner: PlainChannel) => inner.assertQueue(queue, { autoDelete: true }),
  });
  await channel.sendToQueue(queue, Buffer.from("x"));
  await server.ctl("close_all_connections", "maintenance");
  await until(() => client.heard().length === 1);
  await channel.sendToQueue(queue, Buffer.from("x"));
  const rows = await client.settled();
  const each = ["channel.open", "confirm.select", "queue.declare", "basic.publish-confirm"];
  expect(rows.map(({ command }) => command)).toEqual([...each, ...each]);
  expect(rows.map(({ connectionId }) => connectionId)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
  expectPhasesInOrder(rows);
});
