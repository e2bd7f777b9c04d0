import { describe, expect, test } from "@jest/globals";
import { judge } from "../../../agent/diagnose/verdict";
import { ms } from "../../../agent/model/units";
import { addonStack, evidenceOf, executable, js, native, sighting, stackOf } from "./evidence-of";

const coreStack = stackOf(
  [native("/lib/libc.so.6", "read", "register"), native(executable, "uv__fs_work")],
  [
    js("readSync", "node:fs", 740),
    js("load", "/app/node_modules/thing/index.js", 3),
    js("handle", "/app/server.js", 12),
  ],
);

describe("a thread that slept in a system call", () => {
  test("for an addon is sync-native-io, with addon, function, call, peer and line", () => {
    const verdict = judge(evidenceOf({ sightings: [sighting({ stack: addonStack })] }));
    expect(verdict.cause).toBe("sync-native-io");
    expect(verdict.confidence).toBeGreaterThan(0.9);
    expect(verdict.culprit).toMatchObject({
      module: "syncredis.node",
      symbol: "redisBufferRead",
      syscall: "read",
      peer: { host: "127.0.0.1", port: 6379 },
      site: { function: "checkSession", file: "/app/session.js", line: 42 },
    });
    expect(verdict.culprit?.nativeStack[1]).toBe("redisBufferRead (libhiredis.so.0.14)");
    expect(verdict.culprit?.jsStack).toEqual([
      "checkSession (/app/session.js:42:5)",
      "(anonymous) (/app/server.js:9:5)",
    ]);
  });

  test("rests on a scanned frame with less confidence, and marks it", () => {
    const guessed = stackOf(
      [native("/lib/libc.so.6", "read", "register"), native("/app/build/x.node", "wait", "guess")],
      addonStack.js,
    );
    const verdict = judge(evidenceOf({ sightings: [sighting({ stack: guessed })] }));
    expect(verdict.cause).toBe("sync-native-io");
    expect(verdict.confidence).toBeLessThan(0.75);
    expect(verdict.culprit?.nativeStack[1]).toBe("? wait (x.node)");
  });

  test("without an addon on the stack is Node's own API, called from the application's line", () => {
    const verdict = judge(evidenceOf({ sightings: [sighting({ stack: coreStack })] }));
    expect(verdict.cause).toBe("sync-core-api");
    expect(verdict.culprit).toMatchObject({
      module: "node:fs",
      symbol: "fs.readSync",
      site: { function: "handle", file: "/app/server.js", line: 12 },
    });
  });

  test("inside the module loader is module-load", () => {
    const loading = stackOf(
      [native("/lib/libc.so.6", "read", "register"), native(executable, "uv_fs_read")],
      [
        js("readFileSync", "node:fs", 453),
        js("load", "node:internal/modules/cjs/loader", 1200),
        js("require", "node:internal/modules/helpers", 177),
        js("handle", "/app/server.js", 3),
      ],
    );
    const verdict = judge(evidenceOf({ sightings: [sighting({ stack: loading })] }));
    expect(verdict.cause).toBe("module-load");
    expect(verdict.culprit?.site).toMatchObject({ line: 3 });
  });

  test("whose stack could not be read is unknown: a system call alone names nobody", () => {
    const verdict = judge(
      evidenceOf({ sightings: [sighting({})], gaps: ["its stack cannot be read: denied"] }),
    );
    expect(verdict).toMatchObject({ cause: "unknown", confidence: 0, culprit: null });
    expect(verdict.evidence).toContainEqual({
      kind: "missing",
      says: "its stack cannot be read: denied",
    });
  });

  test("sums many short waits of one line, and names the heaviest of several lines", () => {
    const other = stackOf(addonStack.native.slice(), [js("other", "/app/other.js", 7)]);
    const short = Array.from({ length: 6 }, () =>
      sighting({ stack: addonStack, weightMs: ms(12) }),
    );
    const verdict = judge(
      evidenceOf({ sightings: [...short, sighting({ stack: other, weightMs: ms(28) })] }),
    );
    expect(verdict.culprit?.site).toMatchObject({ file: "/app/session.js" });
    expect(verdict.cause).toBe("sync-native-io");
  });

  test("for less than half of the stall is a bystander", () => {
    const verdict = judge(
      evidenceOf({ sightings: [sighting({ stack: addonStack, weightMs: ms(49) })] }),
    );
    expect(verdict.cause).toBe("unknown");
    expect(verdict.evidence.some((fact) => fact.kind === "blocked-in-syscall")).toBe(true);
  });
});

describe("several places that share a cause", () => {
  const calling = (script: string, name: string, line: number, weightMs: number) =>
    sighting({
      stack: stackOf(coreStack.native, [
        js(name, script, 740),
        js("handle", "/app/server.js", line),
      ]),
      weightMs: ms(weightMs),
    });
  const says = ({ evidence }: ReturnType<typeof judge>) => evidence[0]?.says;

  test("have the function that had most of it, its own share, and no line that had less than half", () => {
    const sightings = [
      calling("node:fs", "readFileSync", 1, 40),
      calling("node:child_process", "execSync", 2, 35),
      calling("node:child_process", "execSync", 3, 25),
    ];
    const verdict = judge(evidenceOf({ sightings }));
    expect(verdict.cause).toBe("sync-core-api");
    expect(verdict.culprit).toMatchObject({ symbol: "child_process.execSync", site: null });
    expect(says(verdict)).toContain("for 35 % of the stall");
  });

  test("have no name where no function had half of it", () => {
    const sightings = ["readFileSync", "statSync", "openSync"].map((name, index) =>
      calling("node:fs", name, index, 33),
    );
    const { cause, culprit } = judge(evidenceOf({ sightings }));
    expect(cause).toBe("sync-core-api");
    expect(culprit).toMatchObject({ module: "node:fs", symbol: null, site: null });
  });

  test("are computing or waiting by all that the addon did, not by its heaviest line", () => {
    const computing = (line: number) =>
      sighting({
        call: null,
        running: "native",
        forwarded: { module: "syncredis.node", function: "ttl" },
        stack: stackOf([], [js("other", "/app/other.js", line)]),
        weightMs: ms(30),
      });
    const sightings = [
      sighting({ stack: addonStack, weightMs: ms(40) }),
      computing(1),
      computing(2),
    ];
    const { cause, culprit } = judge(evidenceOf({ sightings }));
    expect(cause).toBe("sync-native-cpu");
    expect(culprit).toMatchObject({ module: "syncredis.node", site: null });
  });
});

describe("the machine's faults", () => {
  test("collections that cover the stall are gc, whatever else was seen", () => {
    const gc = [{ startMs: ms(990), durationMs: ms(105), gcKind: "major" as const }];
    expect(judge(evidenceOf({ gc })).cause).toBe("gc");
  });

  test("collections outside the stall are not", () => {
    const gc = [{ startMs: ms(800), durationMs: ms(150), gcKind: "major" as const }];
    expect(judge(evidenceOf({ gc })).cause).toBe("unknown");
  });

  test("is not blamed for a wait that lay before or after the stall, between two looks", () => {
    // Recorded: a stall of 72 ms in recv, while the watchdog itself got no CPU and looked 178 ms apart.
    const verdict = judge(
      evidenceOf({
        stall: { id: 1, threadId: 0, startMs: ms(1000), endMs: ms(1072), uncertaintyMs: ms(1) },
        runQueueMs: ms(53.2),
        onCpuMs: ms(1.5),
        measuredMs: ms(178.5),
        throttledMs: ms(0),
      }),
    );
    expect(verdict.cause).toBe("unknown");
    expect(verdict.evidence).toContainEqual(
      expect.objectContaining({ kind: "run-queue-wait", runQueueMs: 53.2 }),
    );
  });

  test("a thread that was runnable without a CPU is starved, not blamed", () => {
    const verdict = judge(
      evidenceOf({ runQueueMs: ms(80), onCpuMs: ms(15), measuredMs: ms(100), throttledMs: ms(70) }),
    );
    expect(verdict).toMatchObject({ cause: "cpu-starved", culprit: null });
    expect(verdict.evidence[0]?.says).toContain("throttled");
  });

  test("both threads losing the same time means the process was stopped", () => {
    const lost = [{ startMs: ms(995), endMs: ms(1100), waitedMs: ms(2) }];
    expect(judge(evidenceOf({ lost, runQueueMs: ms(0), onCpuMs: ms(1) })).cause).toBe(
      "process-stopped",
    );
  });

  test("a late watchdog that itself waited for the CPU proves starvation, not a stop", () => {
    const lost = [{ startMs: ms(1000), endMs: ms(1095), waitedMs: ms(0) }];
    const verdict = judge(evidenceOf({ lost, runQueueMs: ms(90), onCpuMs: ms(5) }));
    expect(verdict.cause).toBe("cpu-starved");
  });

  test("a watchdog that waited for a CPU itself proves nothing of a thread that slept", () => {
    const lost = [{ startMs: ms(1000), endMs: ms(1095), waitedMs: ms(90) }];
    const { cause } = judge(evidenceOf({ lost, runQueueMs: ms(0), onCpuMs: ms(1) }));
    expect(cause).toBe("unknown");
  });

  test("waiting in state D with major faults is a page fault", () => {
    const waiting = sighting({ state: "D", call: null });
    expect(judge(evidenceOf({ sightings: [waiting], majorFaults: 12 })).cause).toBe("page-fault");
    expect(judge(evidenceOf({ sightings: [waiting], majorFaults: 0 })).cause).toBe("unknown");
  });

  test("a call that waits for a slow disk in state D is not the doing of a page fault beside it", () => {
    const fsync = sighting({ state: "D", call: { name: "fsync", target: null } });
    const { cause } = judge(evidenceOf({ sightings: [fsync], majorFaults: 1 }));
    expect(cause).not.toBe("page-fault");
  });
});

test("an unread reply is told with the time by which it had arrived", () => {
  const unreadReplies = [
    {
      command: "EXPIRE",
      client: "ioredis",
      sequence: 1,
      connectionId: 1,
      host: "127.0.0.1",
      port: 6379,
      sentMs: ms(1001),
      seenMs: ms(1014.04),
      rxQueueBytes: 4,
    },
  ];
  const verdict = judge(
    evidenceOf({ sightings: [sighting({ stack: addonStack })], unreadReplies }),
  );
  const proof = verdict.evidence.find((fact) => fact.kind === "reply-waiting");
  expect(proof).toMatchObject({ command: "EXPIRE", seenAfterMs: 13, rxQueueBytes: 4 });
  expect(proof?.says).toContain("no later than 13 ms after it was sent");
});

test("a stall that nobody saw live is told without a cause", () => {
  const verdict = judge(evidenceOf({ wasSeenLive: false }));
  expect(verdict.cause).toBe("unknown");
  expect(verdict.evidence[0]?.says).toContain("did not see it");
});

test("our own forwarder between an addon and its caller is neither the site nor shown", () => {
  const stack = stackOf(addonStack.native, [
    js("forwarder", "loophound:forwarder", 21),
    ...addonStack.js,
  ]);
  const { culprit } = judge(evidenceOf({ sightings: [sighting({ stack })] }));
  expect(culprit?.site).toMatchObject({ function: "checkSession", line: 42 });
  expect(culprit?.jsStack.join()).not.toContain("loophound");
});
