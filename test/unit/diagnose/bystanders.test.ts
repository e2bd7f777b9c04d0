import { expect, test } from "@jest/globals";
import { bystanders } from "../../../agent/diagnose/bystanders";
import type { Surroundings } from "../../../agent/model/surroundings";

const calm: Surroundings = {
  seconds: 3,
  opened: [],
  closed: 0,
  givenUp: 0,
  openPeak: 4,
  rssBytes: 100e6,
  before: { seconds: 60, opened: 2, closed: 1, givenUp: 0, openPeak: 5, rssBytes: 98e6 },
};

const whats = (changes: Partial<Surroundings>) =>
  bystanders({ ...calm, ...changes }).map(({ what }) => what);

test("nothing is told of what is as usual", () => {
  expect(bystanders(calm)).toEqual([]);
  const busy = { ...calm.before, opened: 1000, openPeak: 5000 };
  const alike = { opened: [{ server: "a", count: 50 }], openPeak: 5000, before: busy };
  expect(whats(alike)).toEqual([]);
});

test("a storm of connections, a flood, commands given up and memory are bystanders, in so many words", () => {
  const all = bystanders({
    ...calm,
    opened: [{ server: "10.0.0.5:6379", count: 200 }],
    closed: 20,
    givenUp: 7,
    openPeak: 20_000,
    rssBytes: 300e6,
  });
  expect(all.map(({ what }) => what)).toEqual([
    "connections-opened",
    "connections-closed",
    "commands-outstanding",
    "commands-given-up",
    "memory-grown",
  ]);
  for (const { kind, says } of all) {
    expect(kind).toBe("bystander");
    expect(says).toMatch(/^beside it, and not its cause: /);
  }
  expect(all[0]?.says).toContain("200 connections were opened to 10.0.0.5:6379");
});

test("a process that has just begun has nothing to compare with", () => {
  const before = { ...calm.before, seconds: 4 };
  expect(whats({ opened: [{ server: "a", count: 500 }], openPeak: 9999, before })).toEqual([]);
});

test("memory that cannot be read is not told of", () => {
  expect(whats({ rssBytes: null })).toEqual([]);
});
