import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from "amqplib";
import { nowMs } from "../../agent/base/clock";
import { amqplibAdapter } from "../../agent/instrument/amqplib";
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

interface Amqplib {
  connect(url: string): Promise<ChannelModel>;
}

let server: RabbitServer;
beforeAll(async () => {
  server = await startRabbitServer();
});
afterAll(() => server.stop());

const names = (rows: readonly AmqpRow[]): readonly string[] => rows.map(({ command }) => command);

describe.each(["amqplib010", "amqplib1", "amqplib2"])("%s", (library) => {
  const root = join(packages, library);
  let client: HookedAmqp;
  const open: ChannelModel[] = [];

  beforeEach(() => {
    client = hookAmqp(amqplibAdapter, root);
  });
  afterEach(async () => {
    await Promise.allSettled(open.splice(0).map((connection) => connection.close()));
    client.uninstall();
  });

  async function connect(url = server.url("heartbeat=60")): Promise<ChannelModel> {
    const connection = await (require(root) as Amqplib).connect(url);
    connection.on("error", () => undefined);
    open.push(connection);
    return connection;
  }

  async function openChannel(): Promise<Channel> {
    const channel = await (await connect()).createChannel();
    channel.on("error", () => undefined);
    return channel;
  }

  async function openConfirmChannel(): Promise<ConfirmChannel> {
    const channel = await (await connect()).createConfirmChannel();
    channel.on("error", () => undefined);
    return channel;
  }

  /** A queue that its connection takes with it. */
  const ownQueue = async (channel: Channel): Promise<string> =>
    (await channel.assertQueue("", { exclusive: true })).queue;

  /** The broker counts a message a moment after it has answered the next request. */
  async function untilHolds(channel: Channel, queue: string, messages: number): Promise<void> {
    while ((await channel.checkQueue(queue)).messageCount !== messages) await sleep(5);
  }

  test("records each request with its name, server and phases", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    await channel.assertExchange("loophound.topic", "topic", { autoDelete: true, durable: false });
    await channel.bindQueue(queue, "loophound.topic", "#");
    await channel.checkQueue(queue);
    await channel.checkExchange("loophound.topic");
    await channel.prefetch(10);
    await channel.get(queue);
    const { consumerTag } = await channel.consume(queue, () => undefined);
    await channel.cancel(consumerTag);
    await channel.purgeQueue(queue);
    await channel.unbindQueue(queue, "loophound.topic", "#");
    await channel.deleteQueue(queue);
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
      "channel.close",
    ]);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
    expect(new Set(rows.map(({ port }) => port))).toEqual(new Set([server.port]));
    expectPhasesInOrder(rows);
    expect([client.hooked, client.unfit, client.dropped()]).toEqual([["amqplib"], [], 0]);
    expect(client.connections()).toMatchObject([
      { client: "amqplib", protocol: "amqp", host: "127.0.0.1", heartbeatMs: 60_000 },
    ]);
  });

  test("tells how many requests stood before one on its channel", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    await Promise.all([1, 2, 3].map(() => channel.checkQueue(queue)));
    const rows = (await client.settled()).slice(2);
    expect(rows.map(({ command, ahead }) => [command, ahead])).toEqual([
      ["queue.declare-passive", 0],
      ["queue.declare-passive", 1],
      ["queue.declare-passive", 2],
    ]);
    // The second is sent when the first has its answer: until then, its client held it.
    expect(rows[1]?.sentMs).toBeGreaterThanOrEqual(rows[0]?.repliedMs as number);
    expectPhasesInOrder(rows);
  });

  test("counts what a busy loop holds back as not sent", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    const checked = channel.checkQueue(queue);
    channel.sendToQueue(queue, Buffer.from("x"));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    const freeMs = nowMs();
    await checked;
    for (const { calledMs, sentMs } of (await client.settled()).slice(2)) {
      expect(calledMs).toBeLessThan(freeMs);
      expect(sentMs).toBeGreaterThanOrEqual(freeMs);
    }
  });

  test("settles a plain publish when its bytes are handed to the socket, large or small", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    for (const bytes of [0, 10, 5_000, 300_000]) channel.sendToQueue(queue, Buffer.alloc(bytes));
    await until(() => client.records().length === 6);
    const rows = (await client.settled()).slice(2);
    expect(names(rows)).toEqual(Array.from({ length: 4 }, () => "basic.publish"));
    expect(rows.every(({ sentMs, repliedMs }) => sentMs === repliedMs)).toBe(true);
    expectPhasesInOrder(rows);
    await untilHolds(channel, queue, 4);
  });

  test("holds publishes back while the socket does not take them", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    const large = Buffer.alloc(1_000_000);
    let isFull = false;
    for (let i = 0; i < 40; i++) isFull = !channel.sendToQueue(queue, large) || isFull;
    const held = client.records().filter(({ sentMs }) => sentMs === null);
    expect(held.length).toBe(40);
    const rows = (await client.settled()).slice(2);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
    expectPhasesInOrder(rows);
    const ordered = rows.map(({ sentMs }) => sentMs as number);
    expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
    await untilHolds(channel, queue, 40);
  });

  test("follows a message from publish to confirm, singly and in bulk", async () => {
    const channel = await openConfirmChannel();
    const queue = await ownQueue(channel);
    const confirmed: unknown[] = [];
    for (let i = 0; i < 500; i++) {
      channel.sendToQueue(queue, Buffer.from("x"), {}, (error) => confirmed.push(error));
    }
    await channel.waitForConfirms();
    const rows = (await client.settled()).filter(
      ({ command }) => command === "basic.publish-confirm",
    );
    expect([confirmed.length, rows.length, client.dropped()]).toEqual([500, 500, 0]);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
    expect(rows[499]?.ahead).toBeGreaterThan(0);
    expectPhasesInOrder(rows);
  });

  test("tells a message that the broker refuses from one that it confirms", async () => {
    const channel = await openConfirmChannel();
    const limits = { "x-max-length": 1, "x-overflow": "reject-publish" };
    const { queue } = await channel.assertQueue("", { exclusive: true, arguments: limits });
    const send = (): Promise<unknown> =>
      new Promise((resolve) => channel.sendToQueue(queue, Buffer.from("x"), {}, resolve));
    expect(await send()).toBeNull();
    expect(String(await send())).toContain("message nacked");
    expect(endings(await client.settled(), "basic.publish-confirm")).toEqual(["replied", "failed"]);
  });

  test("follows a delivery to its ack, nack or reject", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    const messages: ConsumeMessage[] = [];
    await channel.consume(queue, (message) => message !== null && messages.push(message));
    for (let i = 0; i < 7; i++) channel.sendToQueue(queue, Buffer.alloc(i * 100_000));
    await until(() => messages.length === 7);
    const [first, second, third, , fifth, sixth] = messages as [
      ConsumeMessage,
      ConsumeMessage,
      ConsumeMessage,
      ConsumeMessage,
      ConsumeMessage,
      ConsumeMessage,
    ];
    channel.ack(second);
    channel.nack(third, false, false);
    channel.reject(first, false);
    channel.ack(fifth, true);
    channel.nack(sixth, true, false);
    await until(() => endings(client.records(), "basic.deliver").at(5) === "failed");
    expect(endings(client.records(), "basic.deliver")).toEqual([
      ...["failed", "replied", "failed", "replied", "replied", "failed"],
      "sent",
    ]);
    channel.ackAll();
    const rows = await client.settled();
    expect(endings(rows, "basic.deliver").at(6)).toBe("replied");
    expectPhasesInOrder(rows);
  });

  test("records no delivery that nobody acknowledges, and none of a get", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    let count = 0;
    const { consumerTag } = await channel.consume(queue, () => count++, { noAck: true });
    channel.sendToQueue(queue, Buffer.from("x"));
    await until(() => count === 1);
    await channel.cancel(consumerTag);
    channel.sendToQueue(queue, Buffer.from("x"));
    let message: Awaited<ReturnType<Channel["get"]>> = false;
    while (message === false) message = await channel.get(queue);
    channel.ack(message);
    await channel.close();
    expect(endings(await client.settled(), "basic.deliver")).toEqual([]);
  });

  test("settles what a channel leaves behind when the broker closes it", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    await channel.consume(queue, () => undefined);
    channel.sendToQueue(queue, Buffer.from("x"));
    await until(() => endings(client.records(), "basic.deliver").length === 1);
    const outcomes = await Promise.allSettled([
      channel.checkQueue("no.such.queue"),
      channel.checkQueue(queue),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const rows = await client.settled();
    expect(endings(rows, "queue.declare-passive")).toEqual(["failed", "flushed"]);
    expect(endings(rows, "basic.deliver")).toEqual(["flushed"]);
    expect(client.heard()).toMatchObject([{ kind: "channel-closed", reason: "NOT_FOUND" }]);
    // No name of a queue left this thread.
    expect(JSON.stringify(client.heard())).not.toContain("no.such.queue");
  });

  test("goes on after the broker has cancelled a consumer", async () => {
    const channel = await openChannel();
    const queue = await ownQueue(channel);
    const messages: unknown[] = [];
    await channel.consume(queue, (message) => messages.push(message), { noAck: true });
    await channel.deleteQueue(queue);
    await until(() => messages.length === 1);
    expect(messages).toEqual([null]);
    await channel.prefetch(1);
    const rows = await client.settled();
    expect(names(rows).slice(-2)).toEqual(["queue.delete", "basic.qos"]);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
  });

  test("tells why a connection ended, and settles what was under way", async () => {
    const connection = await connect();
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => undefined);
    const queue = await ownQueue(channel);
    await channel.consume(queue, () => undefined);
    channel.sendToQueue(queue, Buffer.from("x"));
    await until(() => endings(client.records(), "basic.deliver").length === 1);
    const closed = new Promise((resolve) => connection.on("close", resolve));
    await server.ctl("close_all_connections", "maintenance");
    await closed;
    const rows = await client.settled();
    expect(endings(rows, "basic.deliver")).toEqual(["flushed"]);
    await until(() => client.heard().length > 0);
    expect(client.heard()).toMatchObject([
      { kind: "connection-closed", reason: "CONNECTION_FORCED" },
    ]);
    const other = await connect();
    await other.close();
    await until(() => client.heard().length > 1);
    expect(client.heard()[1]).toMatchObject({ reason: "by-application" });
  });

  test("tells of the broker's alarm", async () => {
    const channel = await openChannel();
    await server.ctl("set_vm_memory_high_watermark", "absolute", "1MB");
    // The alarm holds from a moment later on, and for those who publish.
    await until(() => {
      channel.publish("", "nowhere", Buffer.from("x"));
      return client.heard().length === 1;
    });
    await server.ctl("set_vm_memory_high_watermark", "0.4");
    await until(() => client.heard().length === 2);
    expect(client.heard()).toMatchObject([
      { kind: "connection-blocked", isBlocked: true },
      { kind: "connection-blocked", isBlocked: false },
    ]);
  });

  test("records heartbeats that were sent, from when they were due", async () => {
    await connect(server.url("heartbeat=1"));
    await until(() => endings(client.records(), "heartbeat").length === 2);
    expectPhasesInOrder(await client.settled());
  });

  test("records nothing any more after the hooks were taken back", async () => {
    const channel = await openChannel();
    client.uninstall();
    const before = await client.settled();
    await ownQueue(channel);
    await channel.close();
    await openChannel();
    expect(client.records()).toEqual(before);
  });
});
