// A broker's alarm on a connection, which rabbitmq-client keeps by corking its socket.

import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import {
  openLink,
  type RabbitConnection,
  type RabbitLink,
} from "../../../agent/instrument/rabbitmq-client-link";
import { createRegistry } from "../../../agent/instrument/registry";

const longerThanALookMs = 60;
const blocked: boolean[] = [];
let socket: Writable;
let link: RabbitLink;

beforeEach(() => {
  blocked.length = 0;
  socket = new Writable({ write: (_chunk, _encoding, done) => done() });
  const registry = createRegistry((message) => {
    if (message.kind === "connection-blocked") blocked.push(message.isBlocked);
  });
  const nothing = (): undefined => undefined;
  const taps = { registry, now: () => 1, onHooked: nothing, onClient: nothing, keep: nothing };
  const connection = { _socket: socket, _state: { readyState: 1 } };
  link = openLink(taps as never, connection as unknown as RabbitConnection);
});
afterEach(() => {
  jest.useRealTimers();
  socket.uncork();
  socket.destroy();
});

test("an alarm is over when the socket is uncorked, and all that wait for it are told once", async () => {
  const told: string[] = [];
  expect(link.afterAlarm(() => told.push("too early"))).toBe(false);
  socket.cork();
  await Promise.resolve();
  expect([blocked, link.isCorked()]).toEqual([[true], true]);
  for (const name of ["a", "b"]) expect(link.afterAlarm(() => told.push(name))).toBe(true);
  await delay(longerThanALookMs);
  expect([blocked, told]).toEqual([[true], []]);
  socket.uncork();
  await delay(longerThanALookMs);
  expect([blocked, told]).toEqual([
    [true, false],
    ["a", "b"],
  ]);
});

test("an alarm ends with its socket, which stays corked", async () => {
  socket.cork();
  await Promise.resolve();
  socket.destroy();
  await delay(longerThanALookMs);
  expect([blocked, link.isGone()]).toEqual([[true, false], true]);
  // What it held was never sent.
  expect(link.isCorked()).toBe(true);
});

test("fake timers of the application do not get ours", async () => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask"] });
  socket.cork();
  await Promise.resolve();
  expect([blocked, jest.getTimerCount()]).toEqual([[true], 0]);
});
