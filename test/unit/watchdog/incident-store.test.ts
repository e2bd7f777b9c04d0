import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Incident } from "../../../agent/model/incident";
import { ms } from "../../../agent/model/units";
import { createIncidentStore } from "../../../agent/watchdog/incident-store";
import { culprit, incident, paid } from "../exporters/incidents";

function harness({ publish }: { publish?: (incident: Incident) => void } = {}) {
  const lines: Incident[] = [];
  let now = 0;
  let dropped = 0;
  const store = createIncidentStore({
    publish: publish ?? ((line) => lines.push(line)),
    nowMs: () => ms(now),
    onDropped: (count) => {
      dropped += count;
    },
  });
  return {
    store,
    lines,
    dropped: () => dropped,
    pass(byMs: number) {
      now += byMs;
      store.tick();
    },
    /** Adds `count` incidents of one kind at this moment. */
    add(count: number, given: Partial<Incident> = {}) {
      const added = Array.from({ length: count }, () => incident(given));
      for (const one of added) store.add(one);
      return added;
    },
  };
}

const inFile = (file: string): Partial<Incident> => ({
  culprit: { ...culprit, site: { function: null, file, line: 1, column: null } },
});

describe("folding", () => {
  test("the first three of a kind have a line each, as they came", () => {
    const { add, lines, store } = harness();
    const added = add(3);
    expect(lines).toEqual(added);
    expect(store.pending()).toBe(0);
  });

  test("later ones are gathered into one line, ten seconds after the first of them", () => {
    const { add, lines, pass, store } = harness();
    add(3);
    pass(1000);
    add(5);
    expect(lines).toHaveLength(3);
    expect(store.pending()).toBe(5);
    pass(9999);
    expect(lines).toHaveLength(3);
    pass(1);
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatchObject({ repeats: 5 });
    expect(store.pending()).toBe(0);
  });

  test("a gathered line is its longest incident, with the stalls of all in order of time", () => {
    const { add, lines, store } = harness();
    add(3);
    const [a] = add(1, { durationMs: 100 });
    const [b] = add(1, { durationMs: 900 });
    const [c] = add(1, { durationMs: 500 });
    store.flush();
    const { repeats: _, stalls, commands: __, ...told } = lines[3] as Incident;
    expect(b).toMatchObject(told);
    expect(stalls).toEqual([a?.stall, b?.stall, c?.stall]);
  });

  test("keeps the 64 longest of more stalls, and counts all", () => {
    const { add, lines, store } = harness();
    add(3);
    for (let i = 1; i <= 100; i++) add(1, { durationMs: i });
    store.flush();
    expect(lines[3]?.repeats).toBe(100);
    expect(lines[3]?.stalls).toHaveLength(64);
    expect(Math.min(...(lines[3]?.stalls ?? []).map(({ durationMs }) => durationMs))).toBe(37);
    expect(lines[3]?.durationMs).toBe(100);
  });

  test("adds up the commands that paid, and keeps the slowest of each", () => {
    const { add, lines, store } = harness();
    add(3);
    add(1, { commands: [paid("EXPIRE", 17, 318), paid("TTL", 2, 300)] });
    add(1, { commands: [paid("EXPIRE", 3, 400), paid("GET", 1, 350)] });
    store.flush();
    expect(lines[3]?.commands).toEqual([
      paid("EXPIRE", 20, 400),
      paid("GET", 1, 350),
      paid("TTL", 2, 300),
    ]);
  });

  test("the rule of three is of any minute, to the millisecond", () => {
    const { add, lines, pass } = harness();
    add(3);
    pass(59_999);
    add(1);
    expect(lines).toHaveLength(3);
    pass(10_000);
    expect(lines).toHaveLength(4);
    add(1);
    expect(lines).toHaveLength(5);
  });

  test("a fourth after a quiet minute has a line of its own", () => {
    const { add, lines, pass } = harness();
    add(3);
    pass(60_000);
    add(1);
    expect(lines).toHaveLength(4);
    expect(lines[3]?.repeats).toBe(1);
  });

  test("what comes while a line is gathered belongs in it, also when a line would be free", () => {
    const { add, lines, pass } = harness();
    add(3);
    pass(55_000);
    add(1);
    pass(6000);
    add(1);
    expect(lines).toHaveLength(3);
    pass(4000);
    expect(lines.map(({ repeats }) => repeats)).toEqual([1, 1, 1, 2]);
  });

  test("a storm of an hour gives a bounded log that loses none", () => {
    const { add, lines, pass, store } = harness();
    const minutes = 60;
    for (let i = 0; i < minutes * 600; i++) {
      add(1);
      pass(100);
    }
    store.flush();
    expect(lines.length).toBeLessThanOrEqual(minutes * 9 + 1);
    expect(lines.reduce((sum, { repeats }) => sum + repeats, 0)).toBe(minutes * 600);
  });
});

describe("what is the same incident", () => {
  const isFolded = (other: Partial<Incident>): boolean => {
    const { add, lines } = harness();
    add(3);
    add(1, other);
    return lines.length === 3;
  };

  test("same cause, culprit and site: also with other lengths, peers, columns and stacks", () => {
    const site = { function: "checkSession", file: "/app/session.js", line: 42, column: 99 };
    const alike = { ...culprit, site, peer: null, nativeStack: [], jsStack: [] };
    expect(isFolded({ culprit: alike, durationMs: 9, commands: [], evidence: [] })).toBe(true);
  });

  test.each([
    ["cause", { cause: "sync-native-cpu" }],
    ["module", { culprit: { ...culprit, module: "other.node" } }],
    ["symbol", { culprit: { ...culprit, symbol: null } }],
    ["system call", { culprit: { ...culprit, syscall: "poll" } }],
    ["file", inFile("/app/other.js")],
    ["no culprit", { culprit: null }],
    ["thread", { threadId: 3 }],
  ] as [string, Partial<Incident>][])("another %s: another incident", (_, other) => {
    expect(isFolded(other)).toBe(false);
  });

  test("slow commands without a stall are told apart by their server", () => {
    const { add, lines } = harness();
    const slow = { cause: "server-slow", culprit: null, stall: null, stalls: [] } as const;
    add(3, slow);
    add(1, { ...slow, commands: [{ ...paid("GET", 1, 90), port: 6380 }] });
    expect(lines).toHaveLength(4);
    add(1, slow);
    expect(lines).toHaveLength(4);
  });
});

describe("an open incident", () => {
  test("passes at once, whatever is being folded, and so does its end", () => {
    const { add, lines } = harness();
    add(10);
    const open = incident({ state: "open", durationMs: 2000 });
    const other = add(1, open);
    const end = add(1, { id: open.id, durationMs: 5000 });
    expect(lines.slice(3)).toEqual([...other, ...end]);
    expect(lines[4]).toMatchObject({ id: open.id, state: "closed" });
  });

  test("is replaced by the closed one in what is kept", () => {
    const { add, store } = harness();
    const open = incident({ state: "open" });
    store.add(open);
    expect(store.recent(10)).toMatchObject([{ id: open.id, state: "open" }]);
    add(1, inFile("/app/else.js"));
    store.add({ ...open, state: "closed", durationMs: 3000 });
    expect(store.recent(10).map(({ id, state }) => [id === open.id, state])).toEqual([
      [true, "closed"],
      [false, "closed"],
    ]);
  });

  test("whose end never comes leaves the next closed one to be folded as ever", () => {
    const { add, lines } = harness();
    add(3);
    add(1, { state: "open" });
    add(1);
    expect(lines).toHaveLength(4);
  });
});

describe("limits", () => {
  test("keeps the newest two hundred lines, newest first", () => {
    const { add, store, pass } = harness();
    for (let i = 0; i < 300; i++) {
      add(1, inFile(`/app/${i}.js`));
      pass(1000);
    }
    const kept = store.recent(1000);
    expect(kept).toHaveLength(200);
    expect(kept[0]?.culprit?.site?.file).toBe("/app/299.js");
    expect(store.recent(2).map(({ culprit: of }) => of?.site?.file)).toEqual([
      "/app/299.js",
      "/app/298.js",
    ]);
    expect(store.recent(-1)).toEqual([]);
  });

  test("a storm of ever new kinds is bounded, and each incident is in a line, held, or counted", () => {
    const { lines, add, store, dropped } = harness();
    for (let i = 0; i < 5000; i++) add(1, inFile(`/app/${i}.js`));
    const written = lines.reduce((sum, { repeats }) => sum + repeats, 0);
    expect(lines).toHaveLength(300);
    expect(store.pending()).toBeLessThanOrEqual(500);
    expect(written + store.pending() + dropped()).toBe(5000);
  });

  test("hostile sizes are cut before anything is kept", () => {
    const { add, lines, store } = harness();
    const long = "x".repeat(1_000_000);
    const deep: Record<string, unknown> = {};
    deep["self"] = deep;
    const evidence = Array.from({ length: 1000 }, () => ({
      kind: "k",
      says: long,
      figure: 10n,
      deep,
      none: undefined,
      nan: Number.NaN,
    }));
    add(1, { advice: long, evidence, ...inFile(long) });
    expect(JSON.stringify(lines).length).toBeLessThan(200_000);
    expect(lines[0]?.evidence[0]).toMatchObject({ kind: "k", figure: "10" });
    expect(store.recent(1)[0]?.advice).toHaveLength(1025);
  });

  test("an outlet that throws loses neither the store nor the next line", () => {
    let calls = 0;
    const { add, store } = harness({
      publish: () => {
        calls += 1;
        throw new Error("boom");
      },
    });
    add(2);
    expect(calls).toBe(2);
    expect(store.recent(5)).toHaveLength(2);
  });
});

type Step =
  | { readonly kind: "add"; readonly file: number }
  | { readonly kind: "pass"; readonly byMs: number };

describe("under any order of incidents and time", () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), file: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant("pass" as const), byMs: fc.nat({ max: 20_000 }) }),
  );

  test("each incident is in one line, and no id has two", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { add, pass, store, lines } = harness();
        for (const item of steps) {
          if (item.kind === "add") add(1, inFile(`/app/${item.file}.js`));
          else pass(item.byMs);
        }
        const added = steps.filter(({ kind }) => kind === "add").length;
        const written = lines.reduce((sum, { repeats }) => sum + repeats, 0);
        expect(written + store.pending()).toBe(added);
        store.flush();
        expect(store.pending()).toBe(0);
        expect(lines.reduce((sum, { repeats }) => sum + repeats, 0)).toBe(added);
        expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
      }),
    );
  });
});
