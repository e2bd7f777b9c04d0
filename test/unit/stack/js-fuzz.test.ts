// The reading of a JavaScript stack on real memory of every Node version, recorded and then damaged: it always
// ends, within its bounds, and says nothing that is no frame.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Maps, parseMaps } from "../../../agent/kernel/maps";
import { address, bytes } from "../../../agent/model/units";
import { openElf } from "../../../agent/stack/elf";
import { type JsStack, readJsStack } from "../../../agent/stack/js-frames";
import { joinedMemory, type Memory, withBudget } from "../../../agent/stack/memory";
import { loadV8Metadata, type V8Metadata } from "../../../agent/stack/v8-metadata";
import { findNodeVersions, type NodeVersion } from "../../support/node-versions";
import type { LiveReport, Recording } from "./js-live-app";
import { reportsOf } from "./js-live-reports";

/** As in thread-stack.ts. */
const examinationBytes = bytes(16 * 1024 * 1024);
/** V8's frames that are kept, each with the functions inlined into it. */
const framesMax = 256 * 64;
/** Every page of a stack and its heap, read one word at a time, and each of those words followed. */
const readsMax = 1_000_000;

interface Pages {
  readonly base: number;
  readonly buffer: Buffer;
}

function metadataOf({ binary, version }: NodeVersion, v8Version: string): V8Metadata {
  const elf = openElf(binary);
  if (!elf.ok) throw new Error(elf.detail);
  const v8 = loadV8Metadata(elf.value, v8Version);
  elf.value.close();
  if (!v8.ok) throw new Error(`${version}: ${v8.detail}`);
  return v8.value;
}

/** Patch levels make no difference: layoutOf. */
const v8Versions: Readonly<Record<number, string>> = {
  20: "11.3.0.0",
  22: "12.4.0.0",
  24: "13.6.0.0",
  26: "14.6.0.0",
};

const pagesOf = ({ pages }: Recording): Pages[] =>
  Object.entries(pages).map(([base, content]) => ({
    base: Number(base),
    buffer: Buffer.from(content, "base64"),
  }));

function mapsOf({ maps }: Recording): Maps {
  const parsed = parseMaps(maps);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.value;
}

/** Pages by their address: a read across two of them is put together. */
function memoryOf(pages: readonly Pages[], count: { reads: number }): Memory {
  const joined = new Map(pages.map(({ base, buffer }) => [base, buffer]));
  const read: Memory["read"] = (at, length) => {
    count.reads++;
    const first = at - (at % 4096);
    const pieces: Buffer[] = [];
    for (let page = first; page < at + length; page += 4096) {
      const piece = joined.get(page);
      if (piece === undefined) return joinedMemory([]).read(at, length);
      pieces.push(piece);
    }
    return joinedMemory([{ base: address(first), buffer: Buffer.concat(pieces) }]).read(at, length);
  };
  const word: Memory["word"] = (at) => {
    const found = read(at, bytes(8));
    if (!found.ok) return found;
    return { ok: true, value: Number(found.value.readBigUInt64LE(0)) };
  };
  return withBudget({ read, word }, examinationBytes);
}

interface Damage {
  readonly page: number;
  readonly at: number;
  readonly value: bigint;
}

/** A word of a page becomes another: any number, a small one, or a word from elsewhere in the recording. */
function damaged(pages: readonly Pages[], list: readonly Damage[]): Pages[] {
  const copies = pages.map(({ base, buffer }) => ({ base, buffer: Buffer.from(buffer) }));
  for (const { page, at, value } of list) {
    const target = copies[page % copies.length];
    target?.buffer.writeBigUInt64LE(value, 8 * (at % 512));
  }
  return copies;
}

function damages(pages: readonly Pages[]): fc.Arbitrary<Damage[]> {
  const nearby = fc.tuple(fc.nat(), fc.nat(511)).map(([page, at]) => {
    const source = pages[page % pages.length]?.buffer ?? Buffer.alloc(4096);
    return source.readBigUInt64LE(8 * at);
  });
  const anywhere = fc.nat(pages.length * 4096).map((at) => {
    const page = pages[Math.floor(at / 4096)] ?? { base: 0 };
    return BigInt(page.base + (at % 4096));
  });
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 512n }),
    fc.nat(2 ** 20).map((small) => BigInt(small) << 32n),
    { arbitrary: nearby, weight: 3 },
    { arbitrary: anywhere, weight: 3 },
  );
  const one = fc.record({ page: fc.nat(pages.length), at: fc.nat(511), value });
  return fc.array(one, { minLength: 1, maxLength: 60 });
}

describe.each(findNodeVersions())("on Node $version", (node) => {
  let report: LiveReport;
  let recording: Recording;
  let pages: Pages[];
  let v8: V8Metadata;
  let maps: Maps;
  beforeAll(async () => {
    const flags = ["--allow-natives-syntax"];
    const folder = mkdtempSync(join(tmpdir(), "loophound-pages-"));
    const file = join(folder, "pages.json");
    const record = { name: "nested", file };
    const reports = await reportsOf(node, flags, "OptimizeFunctionOnNextCall", record);
    const found = reports.find(({ name }) => name === "nested");
    if (found === undefined) throw new Error("nothing was recorded");
    report = found;
    recording = JSON.parse(readFileSync(file, "utf8")) as Recording;
    rmSync(folder, { recursive: true });
    pages = pagesOf(recording);
    v8 = metadataOf(node, v8Versions[node.major] ?? "");
    maps = mapsOf(recording);
  }, 60_000);

  function read(from: readonly Pages[]): { stack: JsStack; reads: number } {
    const count = { reads: 0 };
    const { sp, stackHigh } = recording;
    const start = { fp: null, sp: address(sp), stackHigh: address(stackHigh) };
    const stack = readJsStack({ memory: memoryOf(from, count), maps, v8, start });
    return { stack, reads: count.reads };
  }

  test("the recorded memory tells the same frames as the live one", () => {
    const { stack } = read(pages);
    expect(stack).toEqual({ frames: report.frames, gaps: report.gaps });
    expect(stack.frames.map(({ functionName }) => functionName)).toContain("inner");
  });

  test("damaged memory is read to an end, within bounds", () => {
    fc.assert(
      fc.property(damages(pages), (list) => {
        const { stack, reads } = read(damaged(pages, list));
        expect(stack.frames.length).toBeLessThanOrEqual(framesMax);
        expect(reads).toBeLessThanOrEqual(readsMax);
        for (const { line, column } of stack.frames) {
          expect(line === null || (Number.isSafeInteger(line) && line >= -(2 ** 31))).toBe(true);
          expect(column === null || Number.isSafeInteger(column)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  test("memory with pages missing is read to an end, without a frame that the whole does not have", () => {
    const known = new Set(report.frames.map(({ functionName }) => functionName));
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), fc.nat(9), (stream, keep) => {
        const kept = pages.filter(() => keep > 0 && stream.next().value !== keep > 5);
        const names = read(kept).stack.frames.map(({ functionName }) => functionName);
        expect(names.filter((name) => name !== null && !known.has(name) && !isPart(name))).toEqual(
          [],
        );
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  /** Where the class cannot be read, the name stands alone. */
  const isPart = (name: string): boolean =>
    report.frames.some(({ functionName }) => functionName?.endsWith(`.${name}`));
});
