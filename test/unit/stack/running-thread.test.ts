import { expect, test } from "@jest/globals";
import { parseMaps } from "../../../agent/kernel/maps";
import { address } from "../../../agent/model/units";
import { bufferMemory, type Memory } from "../../../agent/stack/memory";
import { openRunningThread } from "../../../agent/stack/running-thread";
import { runningV8 } from "./v8-synthetic";

const v8 = runningV8();
const base = 0x10_0000_0000;
const [stackHigh, isolate] = [base + 8192, base + 16_384];
const hex = (at: number) => at.toString(16);
const text = [
  `${hex(base)}-${hex(stackHigh)} rw-p 00000000 00:00 0 [stack]`,
  `${hex(stackHigh)}-${hex(base + 65_536)} rw-p 00000000 00:00 0 [heap]`,
].join("\n");

function thread() {
  const buffer = Buffer.alloc(65_536);
  const put = (at: number, value: number) => buffer.writeBigUInt64LE(BigInt(value), at - base);
  const memory: Memory = bufferMemory(address(base), buffer);
  put(isolate + 8, isolate);
  for (const distance of [-0x70, 0x60])
    put(isolate + v8.layout.isolateCEntryFp + distance, isolate);
  put(base + 4096, isolate);
  const maps = parseMaps(text);
  const running = openRunningThread({
    memory,
    v8,
    maps: () => (maps.ok ? maps.value : null),
    nameAt: () => null,
    frameAt: (entry) => ({
      address: entry,
      module: null,
      moduleOffset: null,
      symbol: null,
      trust: "called",
    }),
  });
  const leaveAt = (fp: number, type: number) => {
    put(isolate + v8.layout.isolateCEntryFp, fp);
    put(fp - 16, fp - 64);
    put(fp - 8, type * 2);
    put(fp, fp + 256);
    put(fp + 8, base + 40_000);
  };
  return { put, running, leaveAt };
}

const exitType = v8.frameTypes.exit[0] as number;

test("nothing is said of a thread before it was seen asleep", () => {
  expect(thread().running.place()).toBeNull();
});

test("a thread that has left JavaScript is in native code, until it is back", () => {
  const { running, leaveAt, put } = thread();
  running.slept(address(base + 1024));
  expect(running.place()).toEqual({ kind: "javascript" });
  leaveAt(base + 2048, exitType);
  expect(running.place()).toMatchObject({
    kind: "native",
    exitFp: base + 2048,
    exitSp: base + 2048 - 64,
  });
  put(isolate + v8.layout.isolateCEntryFp, 0);
  expect(running.place()).toEqual({ kind: "javascript" });
});

test("two calls from one place are one place, and calls from others are others", () => {
  const { running, leaveAt } = thread();
  running.slept(address(base + 1024));
  const keys = [2048, 2048, 2304].map((at) => {
    leaveAt(base + at, exitType);
    const place = running.place();
    return place?.kind === "native" ? place.key : null;
  });
  expect(keys[0]).toBe(keys[1]);
  expect(keys[0]).not.toBe(keys[2]);
});

test("a frame that is no exit frame any more is none, and gives no stack", () => {
  const { running, leaveAt, put } = thread();
  running.slept(address(base + 1024));
  leaveAt(base + 2048, exitType);
  const place = running.place();
  if (place?.kind !== "native") throw new Error("not in native code");
  put(base + 2048 - 8, 0x1234_5678);
  expect(running.place()).toBeNull();
  put(isolate + v8.layout.isolateCEntryFp, 0);
  expect(running.examine(place)).toBeNull();
});

test("a frame outside this thread's stack is another thread's", () => {
  const { running, leaveAt } = thread();
  running.slept(address(base + 1024));
  leaveAt(base + 32_768, exitType);
  expect(running.place()).toBeNull();
});
