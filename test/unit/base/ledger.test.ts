// The ledger against a model of it: whatever the order of writes and polls, each record is given
// once, is open, or is counted as lost.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  capacityOf,
  createLedger,
  ledgerCapacity,
  ledgerViews,
  ledgerWriter,
  outcome,
} from "../../../agent/base/ledger";
import { isOpen, type LedgerEntry, ledgerReader } from "../../../agent/base/ledger-reader";
import { ms } from "../../../agent/model/units";

function ledger(capacity = 8) {
  const buffer = createLedger(capacity);
  const reader = ledgerReader(buffer);
  return {
    writer: ledgerWriter(buffer),
    reader,
    fields: ledgerViews(buffer, capacity),
    poll(): LedgerEntry[] {
      const settled: LedgerEntry[] = [];
      reader.poll((entry) => settled.push(entry));
      return settled;
    },
  };
}

describe("a record", () => {
  test("is open until it is closed, and is then given once, whole", () => {
    const { writer, reader, poll } = ledger();
    const sequence = writer.open(7, 3, 2, 10);
    expect(poll()).toEqual([]);
    expect(reader.open().map(({ state }) => state)).toEqual(["called"]);
    writer.sent(sequence, 4, 11);
    poll();
    expect(reader.open().map(({ state, sentMs }) => [state, sentMs])).toEqual([["sent", 11]]);
    writer.close(sequence, 12.5, outcome.replied);
    expect(poll()).toEqual([
      {
        sequence,
        commandId: 7,
        connectionId: 4,
        ahead: 2,
        state: "replied",
        calledMs: 10,
        sentMs: 11,
        repliedMs: 12.5,
        askedMs: null,
      },
    ]);
    expect(poll()).toEqual([]);
    expect(reader.open()).toEqual([]);
  });

  test.each([0, 250, Number.POSITIVE_INFINITY])(
    "keeps that it was asked to wait %s ms",
    (askedMs) => {
      const { writer, poll } = ledger();
      const sequence = writer.open(1, 1, 0, 10);
      writer.asked(sequence, askedMs);
      writer.close(sequence, 12, outcome.replied);
      // The next life of the same slot was asked nothing.
      for (let i = 0; i < 8; i++) writer.close(writer.open(1, 1, 0, 20), 21, outcome.replied);
      writer.asked(sequence, 99);
      expect(poll().map((entry) => entry.askedMs)).toEqual(Array.from({ length: 8 }, () => null));
      const again = writer.open(1, 1, 0, 30);
      writer.asked(again, askedMs);
      writer.close(again, 31, outcome.replied);
      expect(poll().map((entry) => entry.askedMs)).toEqual([askedMs]);
    },
  );

  test("settles once: what comes after the first end does nothing", () => {
    const { writer, poll } = ledger();
    const sequence = writer.open(1, 1, 0, 10);
    writer.close(sequence, 11, outcome.flushed);
    writer.close(sequence, 12, outcome.replied);
    writer.sent(sequence, 9, 13);
    expect(poll()).toMatchObject([
      { state: "flushed", repliedMs: 11, sentMs: null, connectionId: 1 },
    ]);
  });

  test("counts up to 65,535 commands ahead of it and no further", () => {
    const { writer, poll } = ledger();
    writer.close(writer.open(1, 1, 70_000, 10), 11, outcome.failed);
    expect(poll()).toMatchObject([{ ahead: 65_535, state: "failed" }]);
  });

  test("is not disturbed by one that had its slot before", () => {
    const { writer, poll } = ledger();
    const first = writer.open(1, 1, 0, 1);
    for (let i = 0; i < 8; i++) writer.open(2, 1, 0, 2 + i);
    writer.sent(first, 5, 50);
    writer.close(first, 60, outcome.replied);
    expect(poll()).toEqual([]);
  });
});

describe("the reader", () => {
  test("counts what the ring overwrote before it was read", () => {
    const { writer, reader, poll } = ledger();
    for (let i = 0; i < 20; i++) writer.close(writer.open(1, 1, 0, i + 1), i + 2, outcome.replied);
    expect(poll().map(({ sequence }) => sequence)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    expect(reader.lostCount()).toBe(12);
  });

  test("counts an open record as lost when its slot is taken", () => {
    const { writer, reader, poll } = ledger();
    writer.open(1, 1, 0, 1);
    poll();
    for (let i = 0; i < 8; i++) writer.close(writer.open(1, 1, 0, i + 2), i + 3, outcome.replied);
    expect(poll()).toHaveLength(8);
    expect(reader.lostCount()).toBe(1);
    expect(reader.open()).toEqual([]);
  });

  test("looks again at a record whose reply is not visible yet", () => {
    const { writer, fields, poll } = ledger();
    const sequence = writer.open(1, 1, 0, 10);
    // The state has reached memory before the time, as it may on arm64.
    fields.state[sequence & 7] = outcome.replied;
    expect(poll()).toEqual([]);
    fields.replied[sequence & 7] = 15;
    expect(poll()).toMatchObject([{ sequence, repliedMs: 15 }]);
    expect(poll()).toEqual([]);
  });

  test.each([
    ["sent", 1.5, 102],
    ["replied", 101, 2],
    ["replied, of a record never sent,", 0, 2],
  ])("does not take over the time %s from the slot's previous life", (_, sentMs, repliedMs) => {
    const { writer, fields, poll } = ledger();
    for (let i = 0; i < 8; i++) writer.close(writer.open(1, 1, 0, i + 1), i + 2, outcome.replied);
    poll();
    const sequence = writer.open(2, 1, 0, 100);
    fields.sent[sequence & 7] = sentMs;
    fields.replied[sequence & 7] = repliedMs;
    fields.state[sequence & 7] = outcome.replied;
    expect(poll()).toEqual([]);
    fields.sent[sequence & 7] = 101;
    fields.replied[sequence & 7] = 102;
    expect(poll()).toMatchObject([{ sequence, sentMs: 101, repliedMs: 102 }]);
  });

  test("waits for a slot that is being filled", () => {
    const { writer, fields, poll, reader } = ledger();
    const sequence = writer.open(1, 1, 0, 10);
    fields.state[sequence & 7] = 0;
    expect(poll()).toEqual([]);
    expect(reader.open()).toEqual([]);
    fields.state[sequence & 7] = outcome.failed;
    fields.replied[sequence & 7] = 11;
    expect(poll()).toMatchObject([{ sequence, state: "failed" }]);
  });

  test("finds the records that overlap a time, newest first, at most so many", () => {
    const { writer, reader } = ledger();
    for (const [called, replied] of [
      [1, 2],
      [3, 6],
      [5, 9],
      [20, 21],
    ] as const) {
      writer.close(writer.open(1, 1, 0, called), replied, outcome.replied);
    }
    writer.open(1, 1, 0, 7);
    const found = (limit: number) =>
      reader.overlapping(ms(6), ms(10), limit).map(({ calledMs }) => calledMs);
    expect(found(10)).toEqual([7, 5, 3]);
    expect(found(2)).toEqual([7, 5]);
  });

  test("a ledger is as large as it was made", () => {
    expect(capacityOf(createLedger())).toBe(ledgerCapacity);
    expect(capacityOf(createLedger(8))).toBe(8);
  });
});

type Step =
  | { readonly kind: "open" }
  | { readonly kind: "poll" }
  | { readonly kind: "sent" | "close"; readonly back: number };

/** Which of the newest records a write is meant for; more than the capacity, so that some are gone. */
const back = fc.nat({ max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "open" } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: "poll" } as const) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("sent" as const), back }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("close" as const), back }) },
);

/** Does one step after the other to a ledger, and holds it to what a reader may rely on. */
function playThrough(steps: readonly Step[]): void {
  const { writer, reader, poll } = ledger();
  const endedMs = new Map<number, number>();
  const given = new Set<number>();
  let opened = 0;

  function check(): void {
    for (const entry of poll()) {
      expect(given.has(entry.sequence)).toBe(false);
      expect(isOpen(entry)).toBe(false);
      expect(entry.repliedMs).toBe(endedMs.get(entry.sequence));
      given.add(entry.sequence);
    }
    expect(given.size + reader.lostCount() + reader.open().length).toBe(opened);
  }

  function close(sequence: number, now: number): void {
    writer.close(sequence, now, outcome.replied);
    if (!endedMs.has(sequence)) endedMs.set(sequence, now);
  }

  function doStep(item: Step, now: number): void {
    if (item.kind === "open") opened = writer.open(1, 1, 0, now);
    else if (item.kind === "poll") check();
    else if (item.back >= opened) return;
    else if (item.kind === "sent") writer.sent(opened - item.back, 2, now);
    else close(opened - item.back, now);
  }

  for (const [index, item] of steps.entries()) doStep(item, index + 1);
  check();
}

describe("under any order of writes and polls", () => {
  test("each record is given once as it ended, or is open, or is counted as lost", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 120 }), playThrough), { numRuns: 500 });
  });
});
