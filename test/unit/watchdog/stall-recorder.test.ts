import { expect, test } from "@jest/globals";
import type { SyscallState } from "../../../agent/model/snapshot";
import { type Address, ms } from "../../../agent/model/units";
import { createStallRecorder } from "../../../agent/watchdog/stall-recorder";
import type { CpuFigures, Witness } from "../../../agent/watchdog/witness";

const stack = { native: [], js: [], gaps: ["a gap"] };

function witness(figures: Partial<CpuFigures>[] = []): Witness & { stacksRead: number } {
  let next = 0;
  const scripted = {
    stacksRead: 0,
    blindSpots: [],
    syscall: () => ({ ok: false, why: "gone", detail: "" }) as const,
    isAsleepInLoop: () => null,
    canProveSleep: () => false,
    forwarded: () => null,
    running: () => null,
    runningStack: () => null,
    figures: () => ({
      state: "S",
      onCpuMs: null,
      runQueueMs: null,
      majorFaults: null,
      throttledMs: null,
      ...figures[Math.min(next++, figures.length - 1)],
    }),
    call: (state: SyscallState) =>
      state.kind === "blocked" ? { name: `call-${state.number}`, target: null } : null,
    stack: () => {
      scripted.stacksRead++;
      return stack;
    },
  };
  return scripted;
}

const blockedIn = (number: number, sp = 1000): SyscallState => ({
  kind: "blocked",
  number,
  args: [3, 0, 0, 0, 0, 0],
  sp: sp as Address,
  pc: 2000 as Address,
});
const running: SyscallState = { kind: "running" };
/** A stall that begins with the last healthy sign. */
const until = (endMs: number) => ({ startMs: ms(100), endMs: ms(endMs) });

test("consecutive samples of one place are one sighting with one stack", () => {
  const live = witness();
  const recorder = createStallRecorder(live);
  for (const now of [115, 125, 135]) recorder.sample(ms(now), ms(100), blockedIn(0));
  const { sightings, gaps } = recorder.take(until(150), ms(151));
  expect(sightings).toMatchObject([
    { firstMs: 115, lastMs: 150, weightMs: 50, call: { name: "call-0" }, stack },
  ]);
  expect(live.stacksRead).toBe(1);
  expect(gaps).toEqual(["a gap"]);
});

test("the weights of all sightings add up to the time from the last healthy sign to the end", () => {
  const recorder = createStallRecorder(witness());
  const states = [running, blockedIn(0), blockedIn(0), blockedIn(7), running];
  for (const [i, state] of states.entries()) recorder.sample(ms(110 + i * 10), ms(100), state);
  const { sightings } = recorder.take(until(157), ms(160));
  expect(sightings.map((sighting) => sighting.weightMs)).toEqual([10 + 17, 20, 10]);
  expect(sightings.reduce((sum, sighting) => sum + sighting.weightMs, 0)).toBe(57);
});

const used = (onCpuMs: number, runQueueMs = 0) => ({
  onCpuMs: ms(onCpuMs),
  runQueueMs: ms(runQueueMs),
});

test("a late sample of a thread that runs again leaves its sleep to the call that it slept in", () => {
  const recorder = createStallRecorder(witness([used(10), used(10), used(13, 4), used(13, 4)]));
  recorder.sample(ms(110), ms(100), blockedIn(0));
  recorder.sample(ms(120), ms(100), blockedIn(0));
  recorder.sample(ms(370), ms(100), running);
  const { sightings } = recorder.take(until(370), ms(371));
  expect(sightings.map(({ call, weightMs }) => [call?.name, weightMs])).toEqual([
    ["call-0", 20 + 243],
    [undefined, 7],
  ]);
});

test("a late sample of a thread that fell asleep leaves what it ran to what it ran", () => {
  const recorder = createStallRecorder(witness([used(10), used(70, 5)]));
  recorder.sample(ms(110), ms(100), running);
  recorder.sample(ms(210), ms(100), blockedIn(0));
  const { sightings } = recorder.take(until(220), ms(221));
  expect(sightings.map(({ call, weightMs }) => [call?.name, weightMs])).toEqual([
    [undefined, 10 + 65],
    ["call-0", 35 + 10],
  ]);
});

test("a first sample in a call has neither the rest before the stall nor what was computed in it", () => {
  // Asleep at 100; JavaScript from 104 to 190; a read until 200, met at 198.
  const recorder = createStallRecorder(witness([used(10), used(96), used(96)]));
  recorder.calm(ms(100));
  recorder.sample(ms(198), ms(100), blockedIn(0));
  const stall = { startMs: ms(104), endMs: ms(200) };
  expect(recorder.view(stall).sightings).toMatchObject([{ weightMs: 8 + 2 }]);
  expect(recorder.take(stall, ms(201)).sightings).toMatchObject([{ weightMs: 8 + 2 }]);
});

test("what passed before the stall is no sighting's, where the kernel does not tell CPU time either", () => {
  const recorder = createStallRecorder(witness());
  recorder.sample(ms(150), ms(60), blockedIn(0));
  recorder.sample(ms(170), ms(60), blockedIn(7));
  const { sightings } = recorder.take({ startMs: ms(160), endMs: ms(180) }, ms(181));
  expect(sightings.map(({ weightMs }) => weightMs)).toEqual([0, 20]);
});

test("what was computed between two calls is neither's", () => {
  const recorder = createStallRecorder(witness([used(10), used(90), used(90)]));
  recorder.sample(ms(110), ms(100), blockedIn(0));
  recorder.sample(ms(210), ms(100), blockedIn(7));
  const { sightings } = recorder.take(until(220), ms(221));
  expect(sightings.map(({ call, weightMs }) => [call?.name, weightMs])).toEqual([
    ["call-0", 10],
    ["call-7", 20 + 10],
  ]);
});

test("what was computed between short calls from one place stays theirs", () => {
  const recorder = createStallRecorder(witness([used(10), used(14), used(18)]));
  for (const now of [110, 120, 130]) recorder.sample(ms(now), ms(100), blockedIn(0));
  expect(recorder.take(until(130), ms(131)).sightings).toMatchObject([{ weightMs: 30 }]);
});

test("figures that go beyond the time between two samples assign no more than that", () => {
  const recorder = createStallRecorder(witness([used(10), used(500)]));
  recorder.sample(ms(110), ms(100), running);
  recorder.sample(ms(120), ms(100), blockedIn(0));
  const { sightings } = recorder.take(until(120), ms(121));
  expect(sightings.map(({ weightMs }) => weightMs)).toEqual([20, 0]);
});

test("the same call at another depth of the stack is another place", () => {
  const recorder = createStallRecorder(witness());
  recorder.sample(ms(110), ms(100), blockedIn(0, 1000));
  recorder.sample(ms(120), ms(100), blockedIn(0, 1064));
  expect(recorder.view(until(125)).sightings).toHaveLength(2);
});

test("the same call made by another line of the same function is another place, with its own stack", () => {
  const live = witness();
  const callers = ["70+10", "70+10", "70+24", "70+24"];
  live.running = () => ({
    kind: "native",
    isolate: 1 as Address,
    exitFp: 1200 as Address,
    exitSp: 1100 as Address,
    caller: callers.shift() ?? "",
    key: String(callers.length),
  });
  const recorder = createStallRecorder(live);
  for (const now of [110, 120, 130, 140]) recorder.sample(ms(now), ms(100), blockedIn(0));
  const { sightings } = recorder.take(until(500), ms(501));
  expect(sightings).toMatchObject([
    { weightMs: 20, call: { name: "call-0" }, running: null },
    { weightMs: 20 + 360, call: { name: "call-0" }, running: null },
  ]);
  expect(live.stacksRead).toBe(2);
});

test("no stack is read of a running thread", () => {
  const live = witness();
  createStallRecorder(live).sample(ms(110), ms(100), running);
  expect(live.stacksRead).toBe(0);
});

test("figures are differences over the measured time, and null where they cannot be read", () => {
  const recorder = createStallRecorder(
    witness([
      { onCpuMs: ms(50), runQueueMs: ms(7), majorFaults: 3 },
      { onCpuMs: ms(52), runQueueMs: ms(7), majorFaults: 3 },
      { onCpuMs: ms(58), runQueueMs: ms(9), majorFaults: 4 },
    ]),
  );
  recorder.calm(ms(110));
  recorder.sample(ms(120), ms(110), running);
  expect(recorder.take(until(130), ms(131))).toMatchObject({
    onCpuMs: 8,
    runQueueMs: 2,
    majorFaults: 1,
    throttledMs: null,
    measuredMs: 21,
  });
  expect(recorder.isRecording()).toBe(false);
});

test("a long native call after many short ones is read, with its own time", () => {
  let call = 0;
  const place = () => ({
    kind: "native" as const,
    isolate: 1 as Address,
    exitFp: 2 as Address,
    exitSp: 3 as Address,
    caller: "",
    key: `call ${call}`,
  });
  const live = { ...witness(), running: place, runningStack: () => (call < 50 ? null : stack) };
  const recorder = createStallRecorder(live);
  for (let look = 1; look <= 60; look++) {
    call = Math.min(look, 50);
    recorder.sample(ms(100 + look * 10), ms(100), running);
  }
  const { sightings } = recorder.take(until(700), ms(701));
  expect(sightings).toMatchObject([
    { stack: null, weightMs: 500 },
    { stack, weightMs: 100 },
  ]);
});

test("a storm of short calls is bounded and said", () => {
  const live = witness();
  const recorder = createStallRecorder(live);
  for (let i = 0; i < 500; i++) recorder.sample(ms(110 + i), ms(100), blockedIn(i % 7, i));
  const { sightings, gaps } = recorder.take(until(700), ms(700));
  expect(sightings).toHaveLength(64);
  expect(live.stacksRead).toBe(16);
  expect(gaps.some((gap) => gap.includes("more than 64 places"))).toBe(true);
});
