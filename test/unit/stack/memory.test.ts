// Reading memory: exact or refused, within a budget, page by page.

import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import { address, bytes } from "../../../agent/model/units";
import {
  bufferMemory,
  joinedMemory,
  type Memory,
  openSelfMemory,
  withBudget,
  withPages,
} from "../../../agent/stack/memory";

const base = address(0x10000);

describe("recorded memory", () => {
  const memory = bufferMemory(base, Buffer.from("0123456789abcdef"));

  test("gives exactly what was asked for", () => {
    const read = memory.read(address(base + 2), bytes(3));
    expect(read.ok && read.value.toString()).toBe("234");
  });

  test.each([
    ["before it", base - 1, 1],
    ["behind it", base + 16, 1],
    ["across its end", base + 10, 7],
  ])("fails %s", (_, at, length) => {
    expect(memory.read(address(at), bytes(length))).toMatchObject({ ok: false, why: "gone" });
  });

  test.each([
    [0, 8],
    [-1, 8],
    [2 ** 48, 8],
    [2 ** 64, 8],
    [Number.NaN, 8],
    [base + 0.5, 8],
    [base, 0],
    [base, -8],
    [base, 1.5],
  ])("refuses address %p with length %p as malformed", (at, length) => {
    expect(memory.read(address(at), bytes(length))).toMatchObject({ ok: false, why: "malformed" });
  });

  test("refuses a read of megabytes", () => {
    expect(memory.read(base, bytes(1_000_000))).toMatchObject({ ok: false, why: "limit" });
  });

  test("gives a word low byte first", () => {
    const words = bufferMemory(base, Buffer.from([1, 2, 0, 0, 0, 0, 0, 0]));
    expect(words.word(base)).toEqual({ ok: true, value: 513 });
  });

  test("of two pieces has a gap between them", () => {
    const pieces = joinedMemory([
      { base, buffer: Buffer.alloc(8, 1) },
      { base: address(base + 8), buffer: Buffer.alloc(8, 2) },
    ]);
    expect(pieces.read(address(base + 8), bytes(8)).ok).toBe(true);
    expect(pieces.read(address(base + 4), bytes(8)).ok).toBe(false);
  });
});

describe("a budget", () => {
  test("ends reading when it is used up, also by reads that fail", () => {
    const memory = withBudget(bufferMemory(base, Buffer.alloc(64)), bytes(24));
    expect(memory.word(base).ok).toBe(true);
    expect(memory.word(address(1)).ok).toBe(false);
    expect(memory.word(base).ok).toBe(true);
    expect(memory.word(base)).toMatchObject({ ok: false, why: "limit" });
  });
});

describe("pages", () => {
  function counted(memory: Memory): { memory: Memory; reads: () => number } {
    let reads = 0;
    const read: Memory["read"] = (at, length) => {
      reads += 1;
      return memory.read(at, length);
    };
    return { memory: { read, word: memory.word }, reads: () => reads };
  }

  test("are read once, whatever is asked of them", () => {
    const under = counted(bufferMemory(base, Buffer.alloc(8192, 5)));
    const memory = withPages(under.memory);
    for (let at = base + 0; at < base + 8192; at += 8)
      expect(memory.word(address(at)).ok).toBe(true);
    expect(under.reads()).toBe(2);
  });

  test("that cannot be read whole are read as asked", () => {
    const memory = withPages(bufferMemory(base, Buffer.alloc(16, 5)));
    expect(memory.read(address(base + 8), bytes(8))).toEqual({
      ok: true,
      value: Buffer.alloc(8, 5),
    });
  });

  test("beyond the number that is kept are read all the same", () => {
    const memory = withPages(bufferMemory(base, Buffer.alloc(8192, 5)), 1);
    expect(memory.word(base).ok && memory.word(address(base + 4096)).ok).toBe(true);
  });

  test("do not hide a read across two of them", () => {
    const memory = withPages(bufferMemory(base, Buffer.alloc(8192, 5)));
    expect(memory.read(address(base + 4092), bytes(8)).ok).toBe(true);
  });
});

describe("this process's own memory", () => {
  const opened = openSelfMemory();
  afterAll(() => {
    if (opened.ok) opened.value.close();
  });
  const memory: Memory = opened.ok ? opened.value : bufferMemory(base, Buffer.alloc(0));

  test("holds the running executable's ELF header where it is mapped", () => {
    const line = readFileSync("/proc/self/maps", "utf8")
      .split("\n")
      .find((text) => text.includes(process.execPath) && / 00000000 /.test(text));
    const at = Number.parseInt(line?.split("-")[0] ?? "", 16);
    const magic = memory.read(address(at), bytes(4));
    expect(magic.ok && magic.value.toString("latin1")).toBe("\x7fELF");
  });

  test("fails at an address where nothing is mapped, and goes on", () => {
    expect(memory.word(address(0x1000))).toMatchObject({ ok: false, why: "gone" });
  });
});
