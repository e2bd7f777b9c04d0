import { createRequire } from "node:module";
import { afterEach, expect, test } from "@jest/globals";
import { beatReader, createBeatCell } from "../../../agent/base/beat-cell";
import { clearInterval, clearTimeout, setInterval, setTimeout } from "../../../agent/base/timers";
import { ms } from "../../../agent/model/units";
import { createHeartbeat } from "../../../agent/pulse/heartbeat";

/** What fake timers replace: the exports themselves. */
const exported = createRequire(__filename)("node:timers") as Record<string, unknown>;
const own = { setTimeout, clearTimeout, setInterval, clearInterval };
const names = Object.keys(own);
const native = Object.fromEntries(names.map((name) => [name, exported[name]]));
afterEach(() => {
  Object.assign(exported, native);
});

const refuse = (): never => {
  throw new Error("a timer of ours went to somebody's fake");
};

test("timers are those that were there when the agent was loaded", () => {
  for (const name of names) exported[name] = refuse;
  expect(own).toEqual(native);
});

test("the heartbeat starts, changes its pace and stops while timers are faked", () => {
  const cell = createBeatCell();
  const heartbeat = createHeartbeat({
    cell,
    nowMs: () => ms(1000),
    idleMs: () => ms(0),
    canBeSlow: () => true,
    onPace: () => undefined,
  });
  for (const name of names) exported[name] = refuse;
  heartbeat.start();
  heartbeat.beatFast();
  heartbeat.stop();
  expect(beatReader(cell).read()?.count).toBeGreaterThanOrEqual(2);
});
