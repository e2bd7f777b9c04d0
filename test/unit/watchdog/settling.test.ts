import { expect, test } from "@jest/globals";
import { createLedger, ledgerWriter, outcome } from "../../../agent/base/ledger";
import { type LedgerEntry, ledgerReader } from "../../../agent/base/ledger-reader";
import type { CommandRecord } from "../../../agent/model/command";
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
  const usualMs = () => facts.usualMs(record);
  return { settle, directory, settled, usualMs, slow, answered };
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
