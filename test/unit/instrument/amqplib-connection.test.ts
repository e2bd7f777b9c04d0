// The end of a connection of amqplib, as its socket shows it.

import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { AmqpRecorder } from "../../../agent/instrument/amqp-records";
import {
  type AmqplibConnection,
  AmqplibConnectionTap,
} from "../../../agent/instrument/amqplib-connection";
import { createRegistry } from "../../../agent/instrument/registry";
import { amqpMethod } from "../../../agent/model/amqp-methods";

function connect() {
  const ends: (string | null | undefined)[] = [];
  const registry = createRegistry((message) => {
    if (message.kind === "connection-closed") ends.push(message.reason);
  });
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  stream.on("error", () => undefined);
  const listeners = (): number[] => ["close", "error"].map((name) => stream.listenerCount(name));
  const before = listeners();
  const connection = { stream, muxer: {}, heartbeat: 0, channels: [] };
  const tap = new AmqplibConnectionTap(
    { registry, now: () => 1 } as never,
    {} as AmqpRecorder,
    connection as unknown as AmqplibConnection,
  );
  expect(listeners()).toEqual(before);
  return { stream, tap, ends };
}

test("the code of the error that ends it is its reason, and no listener of ours is needed", async () => {
  const { stream, ends } = connect();
  stream.destroy(Object.assign(new Error("read"), { code: "ECONNRESET" }));
  await turn();
  expect(ends).toEqual(["ECONNRESET"]);
});

test("what the protocol said before comes first", async () => {
  const { stream, tap, ends } = connect();
  tap.receives({ id: amqpMethod.connectionCloseOk, channel: 0 } as never);
  stream.destroy();
  stream.destroy(new Error("again"));
  await turn();
  expect(ends).toEqual(["by-application"]);
});

test("an end without an error has no reason", async () => {
  const { stream, ends } = connect();
  stream.push(null);
  stream.resume();
  stream.end();
  await turn();
  expect(ends).toEqual([null]);
});
