import { describe, expect, test } from "@jest/globals";
import type { SyscallArgs, SyscallState } from "../../../agent/model/snapshot";
import type { NativeFrame, ThreadStack } from "../../../agent/model/stack";
import { type Address, address } from "../../../agent/model/units";
import { createParking } from "../../../agent/watchdog/parking";

/** futex(2) on x86-64. */
const futex = 202;
/** FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, as glibc's pthread_cond_wait asks for. */
const waitBitset = 0x189;

const state = (changes: Partial<{ number: number; args: SyscallArgs; sp: Address }> = {}) =>
  ({
    kind: "blocked",
    number: futex,
    args: [0x7f00, waitBitset, 0, 0, 0, -1],
    sp: address(0x1000),
    pc: address(0x2000),
    ...changes,
  }) satisfies SyscallState;

const stackIn = (symbol: string): ThreadStack => {
  const frame: NativeFrame = {
    address: address(1),
    module: "/usr/bin/node",
    moduleOffset: 1,
    symbol,
    trust: "unwound",
  };
  return { native: [frame], js: [], gaps: [] };
};

function parkingWith(stacks: readonly (ThreadStack | null)[]) {
  let reads = 0;
  const stack = () => stacks[reads++] ?? null;
  return { ...createParking({ arch: "x64", stack }), reads: () => reads };
}

const wait = stackIn("v8::internal::FutexEmulation::WaitSync");

describe("a thread that waits on a futex without a time-out", () => {
  test("is parked if the wait is V8's, which is looked up once", () => {
    const parking = parkingWith([wait]);
    expect(parking.isParked(state(), false)).toBe(false);
    expect(parking.reads()).toBe(0);
    expect(parking.isParked(state(), true)).toBe(true);
    expect(parking.isParked(state(), false)).toBe(true);
    expect(parking.reads()).toBe(1);
  });

  test("is not if an addon waits there for a lock", () => {
    const parking = parkingWith([stackIn("pthread_mutex_lock")]);
    expect(parking.isParked(state(), true)).toBe(false);
    expect(parking.isParked(state(), true)).toBe(false);
    expect(parking.reads()).toBe(1);
  });

  test("is looked up again at another place, and where the stack could not be read", () => {
    const parking = parkingWith([null, wait, stackIn("uv_mutex_lock")]);
    expect(parking.isParked(state(), true)).toBe(false);
    expect(parking.isParked(state(), true)).toBe(true);
    expect(parking.isParked(state({ sp: address(0x900) }), true)).toBe(false);
    expect(parking.reads()).toBe(3);
  });
});

test("a wait with a time-out, a wake-up, another call or a run on the CPU is no parking", () => {
  const parking = parkingWith([wait, wait, wait, wait]);
  const others: SyscallState[] = [
    state({ args: [0x7f00, waitBitset, 0, 0x7ffc, 0, -1] }),
    state({ args: [0x7f00, 0x81, 1, 0, 0, 0] }),
    state({ number: 0 }),
    { kind: "running" },
  ];
  for (const other of others) expect(parking.isParked(other, true)).toBe(false);
  expect(parking.reads()).toBe(0);
});

test("remembers a bounded number of places", () => {
  const parking = parkingWith(Array.from({ length: 100 }, () => wait));
  for (let depth = 0; depth < 40; depth += 1) {
    expect(parking.isParked(state({ sp: address(depth) }), true)).toBe(true);
  }
  expect(parking.isParked(state({ sp: address(0) }), false)).toBe(false);
  expect(parking.isParked(state({ sp: address(39) }), false)).toBe(true);
});
