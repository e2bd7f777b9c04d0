import { describe, expect, test } from "@jest/globals";
import { createLedger, ledgerWriter, outcome } from "../../../agent/base/ledger";
import { type LedgerEntry, ledgerReader } from "../../../agent/base/ledger-reader";
import type { CommandRecord, ConnectionInfo } from "../../../agent/model/command";
import { ms } from "../../../agent/model/units";
import { createCommandHistory } from "../../../agent/watchdog/command-history";
import { noProbes } from "../../../agent/watchdog/control-probes";
import { createDirectory } from "../../../agent/watchdog/directory";
import { createReplyLines } from "../../../agent/watchdog/reply-lines";
import { createServerFacts } from "../../../agent/watchdog/server-facts";
import { createSettling } from "../../../agent/watchdog/settling";
import { createSlowCommands } from "../../../agent/watchdog/slow-commands";

const connection = {
  id: 1,
  client: "ioredis",
  protocol: "redis" as const,
  host: "127.0.0.1",
  port: 6379,
  localPort: 5001,
};

const record: CommandRecord = {
  sequence: 1,
  command: "GET",
  connection,
  state: "replied",
  calledMs: ms(0),
  sentMs: ms(0),
  repliedMs: ms(1),
  ahead: 0,
  askedMs: null,
};

function settling() {
  const memory = createLedger(1024);
  const directory = createDirectory(["OTHER", "GET", "BLPOP"], []);
  const settled: LedgerEntry[] = [];
  const [facts, history] = [createServerFacts(noProbes), createCommandHistory()];
  let slowCount = 0;
  const slow = createSlowCommands({
    thresholdMs: ms(50),
    history,
    facts,
    nextNumber: () => ++slowCount,
    isClaimed: () => false,
    onUnjudged: () => undefined,
  });
  const settle = createSettling({
    ledger: ledgerReader(memory),
    directory,
    facts,
    history,
    slow,
    lines: createReplyLines(),
    onSettled: (entry) => settled.push(entry),
  });
  const writer = ledgerWriter(memory);
  /** One command that was answered `tookMs` after it was sent. */
  const answered = (commandId: number, tookMs: number, connectionId = 1): void => {
    const sequence = writer.open(commandId, connectionId, 0, 1000);
    if (commandId === 2) writer.asked(sequence, Number.POSITIVE_INFINITY);
    writer.sent(sequence, connectionId, 1000);
    writer.close(sequence, 1000 + tookMs, outcome.replied);
  };
  const usualMs = (on: ConnectionInfo = connection) => facts.usualMs({ ...record, connection: on });
  return { settle, directory, settled, usualMs, slow, answered, facts };
}

test("a record waits for its names, over several looks, and is told once", () => {
  const { settle, directory, settled, answered } = settling();
  answered(1, 1);
  for (let look = 0; look < 50; look++) settle(true);
  expect(settled).toEqual([]);
  directory.addConnection(connection);
  settle(true);
  settle(true);
  expect(settled).toHaveLength(1);
});

test("one whose names never come is told without them, and those that will never have any at once", () => {
  const { settle, settled, answered } = settling();
  answered(1, 1);
  answered(1, 1, 0);
  settle(true);
  expect(settled.map(({ connectionId }) => connectionId)).toEqual([0]);
  for (let look = 0; look < 200; look++) settle(true);
  expect(settled).toHaveLength(2);
});

test("what is usual is learnt while the loop is free, and not from commands that wait on purpose", () => {
  const { settle, directory, usualMs, answered } = settling();
  directory.addConnection(connection);
  for (let i = 0; i < 10; i++) answered(1, 500);
  settle(false);
  for (let i = 0; i < 10; i++) answered(2, 900);
  settle(true);
  expect(usualMs()).toBeNull();
  for (let i = 0; i < 10; i++) answered(1, 3);
  settle(true);
  expect(usualMs()).toBe(3);
});

test("slow commands are handed on, also while the loop is not free", () => {
  const { settle, directory, slow, answered } = settling();
  directory.addConnection(connection);
  answered(1, 49);
  answered(1, 80);
  settle(false);
  const episodes = slow.take(ms(5000), []);
  expect(episodes.map(({ endMs }) => endMs)).toEqual([1080]);
});

describe("two servers on Unix sockets", () => {
  const unix = (id: number, path?: string): ConnectionInfo => {
    const { host, port, localPort } = { host: null, port: null, localPort: null };
    const one = { ...connection, id, host, port, localPort };
    return path === undefined ? one : { ...one, path };
  };
  const [a, b] = [unix(1, "/run/a.sock"), unix(2, "/run/b.sock")];
  /** What the answers of the second connection say of the first one's server. */
  const saidBy = (other: ConnectionInfo, own: ConnectionInfo) => {
    const { settle, directory, answered, facts } = settling();
    directory.addConnection(own);
    directory.addConnection(other);
    answered(1, 0.3, other.id);
    settle(true);
    const stuck = { ...record, connection: own, sentMs: ms(990), repliedMs: ms(1300) };
    return facts.findingOf(stuck, ms(1300), [])?.kind;
  };

  test("are no witnesses for each other, nor are those that are not known to be one", () => {
    expect(saidBy(b, a)).toBe("nothing");
    expect(saidBy(unix(2), unix(1))).toBe("nothing");
    expect(saidBy(unix(2, "/run/a.sock"), a)).toBe("answering");
  });

  test("have times of their own", () => {
    const { settle, directory, usualMs, answered } = settling();
    for (const one of [a, b]) directory.addConnection(one);
    for (let i = 0; i < 10; i++) answered(1, 3, 1);
    for (let i = 0; i < 10; i++) answered(1, 40, 2);
    settle(true);
    expect([usualMs(a), usualMs(b)]).toEqual([3, 40]);
  });

  test("are in trouble each on its own", () => {
    const { settle, directory, slow, answered } = settling();
    for (const one of [a, b]) directory.addConnection(one);
    for (const { id } of [a, b]) answered(1, 80, id);
    settle(false);
    expect(slow.take(ms(5000), [])).toHaveLength(2);
  });
});
