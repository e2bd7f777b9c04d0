import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { AsyncMessage, Channel, Connection } from "rabbitmq-client";
import { rabbitmqClientAdapter } from "../../agent/instrument/rabbitmq-client";
import {
  type AmqpRow,
  endings,
  expectPhasesInOrder,
  type HookedAmqp,
  hookAmqp,
  packages,
  until,
} from "../support/hooked-amqp";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";

const root = join(packages, "rabbitmq-client");
const names = (rows: readonly AmqpRow[]): readonly string[] => rows.map(({ command }) => command);

let server: RabbitServer;
let client: HookedAmqp;
const open: Connection[] = [];

beforeAll(async () => {
  server = await startRabbitServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  client = hookAmqp(rabbitmqClientAdapter, root);
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.unsafeDestroy();
  client.uninstall();
});

function connect(options: object = {}): Connection {
  const loaded = require(root) as { Connection: new (options: object) => Connection };
  const connection = new loaded.Connection({
    url: server.url("heartbeat=60"),
    retryLow: 50,
    ...options,
  });
  connection.on("error", () => undefined);
  open.push(connection);
  return connection;
}

async function openChannel(connection = connect()): Promise<Channel> {
  return connection.acquire({ emitErrorsFromChannel: true });
}

const ownQueue = async (channel: Channel): Promise<string> =>
  (await channel.queueDeclare({ exclusive: true })).queue;

test("records each request with its name, server and phases", async () => {
  const channel = await openChannel();
  const queue = await ownQueue(channel);
  const exchange = "loophound.topic";
  await channel.exchangeDeclare({ exchange, type: "topic", autoDelete: true });
  await channel.queueBind({ exchange, queue, routingKey: "#" });
  await channel.queueDeclare({ queue, passive: true });
  await channel.exchangeDeclare({ exchange, passive: true });
  await channel.basicQos({ prefetchCount: 10 });
  await channel.basicGet(queue);
  const { consumerTag } = await channel.basicConsume({ queue }, () => undefined);
  await channel.basicCancel(consumerTag);
  await channel.queuePurge(queue);
  await channel.queueUnbind({ exchange, queue, routingKey: "#" });
  await channel.queueDelete(queue);
  await channel.close();
  const rows = await client.settled();
  expect(names(rows)).toEqual([
    "channel.open",
    "queue.declare",
    "exchange.declare",
    "queue.bind",
    "queue.declare-passive",
    "exchange.declare-passive",
    "basic.qos",
    "basic.get",
    "basic.consume",
    "basic.cancel",
    "queue.purge",
    "queue.unbind",
    "queue.delete",
  ]);
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
  expect(new Set(rows.map(({ port }) => port))).toEqual(new Set([server.port]));
  expectPhasesInOrder(rows);
  expect([client.hooked, client.unfit, client.dropped()]).toEqual([["rabbitmq-client"], [], 0]);
  expect(client.connections()).toMatchObject([
    { client: "rabbitmq-client", protocol: "amqp", host: "127.0.0.1", heartbeatMs: 60_000 },
  ]);
});

test("tells how many requests stood before one on its channel", async () => {
  const channel = await openChannel();
  const queue = await ownQueue(channel);
  await Promise.all([1, 2, 3].map(() => channel.queueDeclare({ queue, passive: true })));
  const rows = (await client.settled()).slice(2);
  expect(rows.map(({ command, ahead }) => [command, ahead])).toEqual([
    ["queue.declare-passive", 0],
    ["queue.declare-passive", 1],
    ["queue.declare-passive", 2],
  ]);
  expect(rows[1]?.sentMs).toBeGreaterThanOrEqual(rows[0]?.repliedMs as number);
  expectPhasesInOrder(rows);
});

test("settles a plain publish when its bytes are handed to the socket, held back or not", async () => {
  const channel = await openChannel();
  const queue = await ownQueue(channel);
  const sent = [10, 0, 300_000, 1_000_000, 1_000_000, 1_000_000, 10].map((bytes) =>
    channel.basicPublish({ routingKey: queue }, Buffer.alloc(bytes)),
  );
  expect(client.records().filter(({ sentMs }) => sentMs === null).length).toBeGreaterThan(0);
  await Promise.all(sent);
  const rows = (await client.settled()).slice(2);
  expect(names(rows)).toEqual(sent.map(() => "basic.publish"));
  expect(rows.every(({ sentMs, repliedMs }) => sentMs === repliedMs)).toBe(true);
  expectPhasesInOrder(rows);
});

test("follows a message from publish to confirm", async () => {
  const publisher = connect().createPublisher({ confirm: true });
  await Promise.all(
    Array.from({ length: 300 }, () => publisher.send({ routingKey: "nowhere" }, "x")),
  );
  const rows = await client.settled();
  const published = rows.filter(({ command }) => command === "basic.publish-confirm");
  expect([published.length, client.dropped()]).toEqual([300, 0]);
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
  expectPhasesInOrder(rows);
  await publisher.close();
});

test("tells a message that the broker refuses from one that it confirms", async () => {
  const channel = await openChannel();
  const limits = { "x-max-length": 1, "x-overflow": "reject-publish" } as const;
  const { queue } = await channel.queueDeclare({ exclusive: true, arguments: limits });
  await channel.confirmSelect();
  await channel.basicPublish({ routingKey: queue }, "x");
  await expect(channel.basicPublish({ routingKey: queue }, "x")).rejects.toThrow("rejected");
  expect(endings(await client.settled(), "basic.publish-confirm")).toEqual(["replied", "failed"]);
  expect(client.heard()).toEqual([]);
});

test("follows a delivery to its ack or nack, and none that nobody acknowledges", async () => {
  const channel = await openChannel();
  const queue = await ownQueue(channel);
  const messages: AsyncMessage[] = [];
  await channel.basicConsume({ queue }, (message) => messages.push(message));
  for (let i = 0; i < 5; i++) {
    await channel.basicPublish({ routingKey: queue }, Buffer.alloc(i * 100_000));
  }
  await until(() => messages.length === 5);
  const tags = messages.map(({ deliveryTag }) => deliveryTag) as [number, number, number, number];
  channel.basicAck({ deliveryTag: tags[1] });
  channel.basicNack({ deliveryTag: tags[0], requeue: false });
  channel.basicAck({ deliveryTag: tags[3], multiple: true });
  await until(() => endings(client.records(), "basic.deliver").at(3) === "replied");
  expect(endings(client.records(), "basic.deliver")).toEqual([
    ...["failed", "replied", "replied", "replied"],
    "sent",
  ]);
  const other = await ownQueue(channel);
  let count = 0;
  await channel.basicConsume({ queue: other, noAck: true }, () => count++);
  await channel.basicPublish({ routingKey: other }, "x");
  await until(() => count === 1);
  expect(endings(client.records(), "basic.deliver").length).toBe(5);
  await channel.close();
  const rows = await client.settled();
  expect(endings(rows, "basic.deliver").at(4)).toBe("flushed");
  expectPhasesInOrder(rows);
});

test("acknowledges through a consumer, whose deliveries are followed too", async () => {
  const connection = connect();
  const channel = await openChannel(connection);
  const queue = "loophound.consumer";
  await channel.queueDeclare({ queue, autoDelete: true });
  let count = 0;
  const props = { queue, queueOptions: { autoDelete: true }, qos: { prefetchCount: 2 } };
  const consumer = connection.createConsumer(props, async () => {
    count++;
  });
  for (let i = 0; i < 20; i++) await channel.basicPublish({ routingKey: queue }, "x");
  await until(() => count === 20);
  await consumer.close();
  const endingsOfAll = endings(await client.settled(), "basic.deliver");
  expect(endingsOfAll).toEqual(Array.from({ length: 20 }, () => "replied"));
});

test("settles what a channel leaves behind when the broker closes it", async () => {
  const channel = await openChannel();
  channel.on("error", () => undefined);
  const queue = await ownQueue(channel);
  await channel.basicConsume({ queue }, () => undefined);
  await channel.basicPublish({ routingKey: queue }, "x");
  await until(() => endings(client.records(), "basic.deliver").length === 1);
  const outcomes = await Promise.allSettled([
    channel.queueDeclare({ queue: "no.such.queue", passive: true }),
    channel.queueDeclare({ queue, passive: true }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const rows = await client.settled();
  expect(endings(rows, "queue.declare-passive")).toEqual(["failed", "flushed"]);
  expect(endings(rows, "basic.deliver")).toEqual(["flushed"]);
  expect(client.heard()).toMatchObject([{ kind: "channel-closed", reason: "NOT_FOUND" }]);
  expect(JSON.stringify(client.heard())).not.toContain("no.such.queue");
});

test("tells why a connection ended, settles what was under way, and sees the new one", async () => {
  const connection = connect();
  const channel = await openChannel(connection);
  channel.on("error", () => undefined);
  const queue = await ownQueue(channel);
  await channel.basicConsume({ queue }, () => undefined);
  await channel.basicPublish({ routingKey: queue }, "x");
  await until(() => endings(client.records(), "basic.deliver").length === 1);
  await server.ctl("close_all_connections", "maintenance");
  await until(() => client.heard().length === 1);
  expect(client.heard()).toMatchObject([
    { kind: "connection-closed", reason: "CONNECTION_FORCED" },
  ]);
  const again = await openChannel(connection);
  await again.basicQos({ prefetchCount: 1 });
  expect(client.connections().map(({ id }) => id)).toEqual([1, 2]);
  await again.close();
  await connection.close();
  await until(() => client.heard().length === 2);
  expect(client.heard()[1]).toMatchObject({ reason: "by-application" });
  const rows = await client.settled();
  expect(endings(rows, "basic.deliver")).toEqual(["flushed"]);
  expect(rows.at(-1)).toMatchObject({ command: "basic.qos", connectionId: 2 });
});

test("tells of the broker's alarm, once for each, after a reconnect too", async () => {
  const connection = connect();
  await openChannel(connection);
  await server.ctl("close_all_connections", "maintenance");
  await until(() => client.heard().length === 1);
  const channel = await openChannel(connection);
  await server.ctl("set_vm_memory_high_watermark", "absolute", "1MB");
  // The alarm holds from a moment later on, and for those who publish.
  await until(() => {
    void channel.basicPublish({ routingKey: "nowhere" }, "x").catch(() => undefined);
    return client.heard().length === 2;
  });
  await server.ctl("set_vm_memory_high_watermark", "0.4");
  await until(() => client.heard().length === 3);
  expect(client.heard().slice(1)).toMatchObject([
    { kind: "connection-blocked", id: 2, isBlocked: true },
    { kind: "connection-blocked", id: 2, isBlocked: false },
  ]);
});

test("records nothing any more after the hooks were taken back", async () => {
  const channel = await openChannel();
  client.uninstall();
  const before = await client.settled();
  await ownQueue(channel);
  await openChannel();
  expect(client.records()).toEqual(before);
});
