import { expect, test } from "@jest/globals";
import type { CommandRecord } from "../../../agent/model/command";
import { ms } from "../../../agent/model/units";
import { createUnreadReplyFinder, type ReceiveQueue } from "../../../agent/watchdog/unread-replies";

function sent(
  sequence: number,
  command: string,
  localPort: number | null,
  host = "127.0.0.1",
): CommandRecord {
  return {
    sequence,
    command,
    connection: {
      id: localPort ?? 0,
      client: "ioredis",
      protocol: "redis",
      host,
      port: 6379,
      localPort,
    },
    state: "sent",
    calledMs: ms(100),
    sentMs: ms(100 + sequence),
    repliedMs: null,
    ahead: 0,
    askedMs: null,
  };
}

const queue = (
  localPort: number,
  rxQueueBytes: number,
  remotePort = 6379,
  remoteHost = "127.0.0.1",
): ReceiveQueue => ({ localPort, remoteHost, remotePort, rxQueueBytes });

const never = () => ms(0);

test("names the oldest unanswered command of a connection whose bytes lie unread, as of the end of the search", () => {
  const finder = createUnreadReplyFinder(
    () => [queue(5001, 9), queue(5002, 0)],
    () => ms(123),
  );
  finder.sample(ms(120), [sent(1, "EXPIRE", 5001), sent(2, "TTL", 5001), sent(3, "GET", 5002)]);
  expect(finder.found()).toMatchObject([{ command: "EXPIRE", seenMs: 123, rxQueueBytes: 9 }]);
});

test("ignores a socket of the same local port to another server", () => {
  const finder = createUnreadReplyFinder(() => [queue(5001, 9, 5672)], never);
  finder.sample(ms(120), [sent(1, "EXPIRE", 5001)]);
  expect(finder.found()).toEqual([]);
});

test("ignores a socket of the same local port to the same port of another host", () => {
  const finder = createUnreadReplyFinder(() => [queue(5001, 9, 6379, "10.0.0.2")], never);
  finder.sample(ms(120), [sent(1, "EXPIRE", 5001, "10.0.0.1")]);
  expect(finder.found()).toEqual([]);
});

test.each([
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["fe80::1%eth0", "fe80::1"],
])("knows %s by the kernel's name for it", (host, remoteHost) => {
  const finder = createUnreadReplyFinder(() => [queue(5001, 9, 6379, remoteHost)], never);
  finder.sample(ms(120), [sent(1, "EXPIRE", 5001, host)]);
  expect(finder.found()).toMatchObject([{ command: "EXPIRE", host }]);
});

test("does not look at all without an outstanding command that was sent over TCP", () => {
  let looks = 0;
  const finder = createUnreadReplyFinder(() => {
    looks++;
    return [];
  }, never);
  finder.sample(ms(120), []);
  finder.sample(ms(130), [sent(1, "GET", null)]);
  finder.sample(ms(140), [{ ...sent(2, "GET", 5001), state: "called", sentMs: null }]);
  expect(looks).toBe(0);
});

test("keeps the first sight, looks ever more rarely, and starts anew after a reset", () => {
  const looks: number[] = [];
  let now = 0;
  const finder = createUnreadReplyFinder(
    () => {
      looks.push(now);
      return looks.length < 2 ? [] : [queue(5001, 4)];
    },
    () => ms(now),
  );
  for (now = 100; now < 400; now += 10) {
    finder.sample(ms(now), [sent(1, "EXPIRE", 5001), sent(2, "GET", 5002)]);
  }
  expect(looks).toEqual([100, 110, 130, 170, 250]);
  expect(finder.found()).toMatchObject([{ seenMs: 110 }]);
  finder.reset();
  expect(finder.found()).toEqual([]);
});
