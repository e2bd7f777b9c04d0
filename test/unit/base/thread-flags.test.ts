import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import {
  askForBeats,
  createThreadFlags,
  flagCells,
  hasFlag,
  hearAsked,
  threadFlag,
} from "../../../agent/base/thread-flags";

const eventually = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await turn();
};

test("a flag that one thread stores is seen by who holds the same memory", () => {
  const memory = createThreadFlags();
  expect(hasFlag(flagCells(memory), threadFlag.serves)).toBe(false);
  Atomics.store(flagCells(memory), threadFlag.serves, 1);
  expect(hasFlag(flagCells(memory), threadFlag.serves)).toBe(true);
  expect(hasFlag(flagCells(memory), threadFlag.ended)).toBe(false);
});

test("a thread hears each time that it is asked for beats, until it listens no more", async () => {
  const memory = createThreadFlags();
  let heard = 0;
  const stop = hearAsked(flagCells(memory), () => {
    heard += 1;
  });
  for (const times of [1, 2, 3]) {
    askForBeats(flagCells(memory));
    await eventually(() => heard === times);
  }
  stop();
  askForBeats(flagCells(memory));
  await turn();
  await turn();
  expect(heard).toBe(3);
});
