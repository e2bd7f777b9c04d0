import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { causes } from "../../../agent/model/cause";
import type { Culprit, Incident } from "../../../agent/model/incident";
import { inWords } from "../../../exporters/words";
import { culprit, incident, paid } from "./incidents";

const lines = (given: Partial<Incident>): string[] => inWords(incident(given)).split("\n");
const headline = (given: Partial<Incident>): string => lines(given)[0] as string;

describe("inWords", () => {
  test("tells the founding incident", () => {
    expect(inWords(incident())).toBe(
      [
        "loophound: event loop blocked 312 ms by syncredis.node (redisCommand > read) on 127.0.0.1:6379 [sync-native-io, 98 % sure]",
        "  at checkSession (/app/session.js:42:17)",
        "  paid by: 17 x EXPIRE (max 318 ms, 318 ms of it the loop's)",
        "  proof: the reply to EXPIRE lay unread in the kernel",
        "  seen: it was in read(2) for 97 % of the stall",
        "  advice: Use an asynchronous client.",
        "",
      ].join("\n"),
    );
  });

  test("gives what happened to RabbitMQ's heartbeats a line of its own, and no other fact's place", () => {
    const told = "the loop was blocked for 31 s; RabbitMQ's heartbeat at 10.0.0.1:5672 is 10 s";
    const facts = ["one", "two", "three"].map((says) => ({ kind: "cpu-time", says }));
    const evidence = [...facts, { kind: "amqp-heartbeat", says: told }];
    expect(lines({ evidence }).filter((line) => / {2}(heartbeat|seen):/.test(line))).toEqual([
      `  heartbeat: ${told}`,
      "  seen: one",
      "  seen: two",
    ]);
  });

  test("names the worker thread whose loop it was", () => {
    expect(headline({ threadId: 3 })).toContain("event loop of worker thread 3 blocked 312 ms by");
  });

  test("says of an open stall that it goes on", () => {
    expect(headline({ state: "open", durationMs: 2010 })).toContain("blocked for 2.0 s so far by");
  });

  test("folds repeats into one headline, with their span where all are listed", () => {
    const stalls = [0, 1, 2].map((i) => ({ startEpochMs: i * 4000, durationMs: 500 }));
    expect(headline({ repeats: 3, stalls })).toContain(
      "blocked 3 more times in 8.5 s, longest 312 ms, by",
    );
    expect(headline({ repeats: 90, stalls })).toContain(
      "blocked 90 more times, longest 312 ms, by",
    );
  });

  test("says openly that it does not know, and what is missing", () => {
    const unknown = lines({
      cause: "unknown",
      confidence: 0,
      culprit: null,
      evidence: [
        { kind: "not-explained", says: "no evidence explains half of it" },
        { kind: "missing", says: "task/1/syscall: denied" },
      ],
    });
    expect(unknown[0]).toBe(
      "loophound: event loop blocked 312 ms; the evidence does not say by what [unknown]",
    );
    expect(unknown).toContain("  missing: no evidence explains half of it");
    expect(unknown).toContain("  missing: task/1/syscall: denied");
  });

  test("names no part of a culprit that is not known", () => {
    const nobody: Culprit = {
      ...culprit,
      module: null,
      symbol: null,
      syscall: null,
      peer: null,
      site: null,
    };
    const [first, second] = lines({ culprit: nobody });
    expect(first).toContain("by a module that could not be named [");
    expect(second).toBe("  at: no one line can be named");
    expect(inWords(incident({ culprit: nobody }))).not.toMatch(/null|undefined/);
  });

  test("names a file or lock where there is no peer, and brackets an IPv6 one", () => {
    expect(headline({ culprit: { ...culprit, peer: null, target: "/data/a.db" } })).toContain(
      "on /data/a.db [",
    );
    expect(headline({ culprit: { ...culprit, peer: { host: "::1", port: 6379 } } })).toContain(
      "on [::1]:6379 [",
    );
  });

  test("a slow command without a stall is told as one", () => {
    expect(headline({ stall: null, stalls: [], cause: "server-slow", culprit: null })).toBe(
      "loophound: EXPIRE took 318 ms on 127.0.0.1:6379: the server was late [server-slow, 98 % sure]",
    );
  });

  test("shows the dearest commands and counts the other kinds", () => {
    const commands = ["A", "B", "C", "D", "E"].map((name) => paid(name, 1, 100));
    expect(lines({ commands })[2]).toMatch(/1 x A .*1 x B .*1 x C .*, and 2 more kinds$/);
  });

  test.each([...causes])("has words for %s", (cause) => {
    const text = headline({ cause });
    expect(text).toContain(`[${cause}`);
    expect(text).not.toMatch(/undefined|null/);
  });

  test("stays a block of eight safe lines whatever the names are", () => {
    const text = fc.string({ unit: "binary", maxLength: 2000 });
    fc.assert(
      fc.property(text, text, fc.constantFrom(...causes), (name, other, cause) => {
        const evidence = Array.from({ length: 50 }, (_, i) => ({
          kind: ["seen", "missing", "reply-waiting"][i % 3] as string,
          says: name,
        }));
        const site = { function: name, file: other, line: null, column: null };
        const block = inWords(
          incident({
            cause,
            evidence,
            advice: other,
            culprit: { ...culprit, module: name, symbol: other, target: name, peer: null, site },
            commands: Array.from({ length: 100 }, () => paid(name, 1, 1)),
          }),
        );
        const given = block.slice(0, -1).split("\n");
        expect(given.length).toBeLessThanOrEqual(8);
        for (const line of given) expect(line).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }),
      { numRuns: 50 },
    );
  });
});
