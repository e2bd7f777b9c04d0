import { describe, expect, test } from "@jest/globals";
import { beatReader, beatWriter, createBeatCell } from "../../../agent/base/beat-cell";
import type { LateBeat } from "../../../agent/model/stall";
import { ms } from "../../../agent/model/units";

function pair() {
  const cell = createBeatCell();
  return { cell, writer: beatWriter(cell), reader: beatReader(cell) };
}

const late = (index: number): LateBeat => ({
  previousBeatMs: ms(index * 100),
  beatMs: ms(index * 100 + 90),
  dueMs: ms(index * 100 + 20),
  idleMs: ms(index),
});

describe("the beat cell", () => {
  test("has no beat before the first", () => {
    const { reader } = pair();
    expect(reader.read()).toBeNull();
    expect(reader.readSince(0)).toBeNull();
  });

  test("gives the newest beat, counted", () => {
    const { writer, reader } = pair();
    writer.beat(ms(20), ms(19), ms(20), null);
    writer.beat(ms(40.5), ms(38), ms(500), null);
    expect(reader.read()).toEqual({
      atMs: 40.5,
      idleMs: 38,
      periodMs: 500,
      count: 2,
      lateCount: 0,
    });
  });

  test("gives each late beat since the count that the reader has seen", () => {
    const { writer, reader } = pair();
    for (let i = 0; i < 5; i++) writer.beat(ms(i), ms(i), ms(20), late(i));
    expect(reader.readSince(0)?.late).toEqual([0, 1, 2, 3, 4].map(late));
    expect(reader.readSince(3)?.late).toEqual([3, 4].map(late));
    expect(reader.readSince(5)?.late).toEqual([]);
  });

  test("keeps the newest 64 late beats, and the count of all", () => {
    const { writer, reader } = pair();
    for (let i = 0; i < 100; i++) writer.beat(ms(i), ms(i), ms(20), late(i));
    const kept = reader.readSince(0)?.late ?? [];
    expect(kept).toHaveLength(64);
    expect(kept[0]).toEqual(late(36));
    expect(kept.at(-1)).toEqual(late(99));
    expect(reader.read()?.lateCount).toBe(100);
  });

  test("gives nothing while a write is half done, and everything once it is whole", () => {
    const { cell, writer, reader } = pair();
    writer.beat(ms(20), ms(19), ms(20), late(1));
    const lock = new Int32Array(cell, 0, 1);
    Atomics.add(lock, 0, 1);
    expect(reader.read()).toBeNull();
    expect(reader.readSince(0)).toBeNull();
    Atomics.add(lock, 0, 1);
    expect(reader.read()?.count).toBe(1);
    expect(reader.readSince(0)).toEqual({ beat: reader.read(), late: [late(1)] });
  });
});
