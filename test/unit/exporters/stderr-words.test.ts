import { describe, expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createStderrWords } from "../../../exporters/stderr-words";
import { incident } from "./incidents";

function harness({ takes = true } = {}) {
  const written: string[] = [];
  let now = 0;
  let dropped = 0;
  const outlet = createStderrWords({
    stderr: {
      write: (text) => {
        if (takes) written.push(text);
        return takes;
      },
      dropped: () => 0,
    },
    nowMs: () => ms(now),
    onDropped: (count) => {
      dropped += count;
    },
  });
  return {
    outlet,
    written,
    dropped: () => dropped,
    pass: (byMs: number) => {
      now += byMs;
    },
  };
}

const blocksIn = (written: readonly string[]): number =>
  written.filter((text) => text.includes("event loop blocked")).length;

describe("createStderrWords", () => {
  test("shows ten blocks of a storm, says that there are more, and counts them", () => {
    const { outlet, written, dropped } = harness();
    for (let i = 0; i < 100; i++) outlet.publish(incident());
    expect(blocksIn(written)).toBe(10);
    expect(written.filter((text) => text.includes("not all are shown"))).toHaveLength(1);
    expect(dropped()).toBe(90);
  });

  test("says with the next block how many were not shown", () => {
    const { outlet, written, pass } = harness();
    for (let i = 0; i < 15; i++) outlet.publish(incident());
    pass(6000);
    outlet.publish(incident());
    expect(written.slice(-2)[0]).toBe("loophound: 5 more not shown\n");
    expect(blocksIn(written.slice(-1))).toBe(1);
  });

  test("says it at the end too, if nothing came after", () => {
    const { outlet, written } = harness();
    for (let i = 0; i < 12; i++) outlet.publish(incident());
    outlet.stop();
    expect(written.at(-1)).toBe("loophound: 2 more not shown\n");
  });

  test("tells of an open stall also at the end of a storm", () => {
    const { outlet, written } = harness();
    for (let i = 0; i < 50; i++) outlet.publish(incident());
    outlet.publish(incident({ state: "open" }));
    expect(written.at(-1)).toContain("so far");
  });

  test("counts a block that stderr did not take", () => {
    const { outlet, dropped } = harness({ takes: false });
    outlet.publish(incident());
    expect(dropped()).toBe(1);
  });
});
