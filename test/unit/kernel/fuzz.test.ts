// Whatever the kernel, or a container's lying /proc, may answer: parsers never throw, and what they
// do return keeps its promises.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseCpuStat } from "../../../agent/kernel/cgroup-cpu";
import { locateCgroup } from "../../../agent/kernel/cgroup-path";
import { parseFdLink } from "../../../agent/kernel/fd-target";
import { parseMaps } from "../../../agent/kernel/maps";
import { parseMemoryEvents, parseMemoryEventsV1 } from "../../../agent/kernel/memory-events";
import { parseUnixRow } from "../../../agent/kernel/net-unix";
import { parsePressure } from "../../../agent/kernel/pressure";
import { parseThreadSelf } from "../../../agent/kernel/self-tid";
import { parseTaskSchedstat } from "../../../agent/kernel/task-schedstat";
import { parseTaskStat } from "../../../agent/kernel/task-stat";
import { parseTaskStatus } from "../../../agent/kernel/task-status";
import { argInt32, parseTaskSyscall } from "../../../agent/kernel/task-syscall";
import { parseTaskWchan } from "../../../agent/kernel/task-wchan";
import { inodeInRow, parseTcpRow, remotePortInRow } from "../../../agent/kernel/tcp-row";
import { address } from "../../../agent/model/units";
import { must, recorded, TID, whyOf } from "./fixture";

const parsers: Record<string, (text: string) => unknown> = {
  parseMaps,
  parseTaskStat,
  parseTaskStatus,
  parseTaskSchedstat,
  parseTaskSyscall,
  parseTaskWchan,
  parseThreadSelf,
  parseFdLink,
  parseTcpRow,
  parseUnixRow,
  parseCpuStat,
  parseMemoryEvents,
  parsePressure,
  parseMemoryEventsV1: (text) => parseMemoryEventsV1(text, text),
  locateCgroup: (text) => locateCgroup(text, text, "cpu"),
};

/** NaN anywhere in a result would be a number that nobody read. */
function hasNaN(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(hasNaN);
  return Number.isNaN(value);
}

const recordings: readonly string[] = ["stat", "status", "schedstat", "syscall", "wchan"]
  .map((file) => must(recorded("blocked-in-read").readText(`self/task/${TID}/${file}`)))
  .concat(
    must(recorded("blocked-in-read").readText("self/maps")).slice(0, 600),
    must(recorded("sockets").readText("self/net/tcp6")).split("\n")[1] ?? "",
    must(recorded("sockets").readText("self/net/unix")).split("\n")[3] ?? "",
    must(recorded("cgroup/v2-limited/proc").readText("self/mountinfo")),
  );

/** A recorded text with a piece cut out and another put in. */
const damaged = fc
  .tuple(fc.constantFrom(...recordings), fc.nat(700), fc.nat(40), fc.string({ maxLength: 8 }))
  .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));

describe.each(Object.entries(parsers))("%s", (_, parse) => {
  test("takes any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !hasNaN(parse(text))));
  });

  test("takes any damaged recording", () => {
    fc.assert(
      fc.property(damaged, (text) => !hasNaN(parse(text))),
      { numRuns: 300 },
    );
  });
});

test("fixtures are where the fuzzing expects them", () => {
  expect(recordings.every((text) => text.length > 0)).toBe(true);
});

describe("what is written can be read", () => {
  test("a stat line, whatever the thread is called", () => {
    const line = must(recorded("running").readText(`self/task/${TID}/stat`));
    const expected = must(parseTaskStat(line));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 15 }), (comm) => {
        const renamed = line.replace("(MainThread)", () => `(${comm})`);
        expect(must(parseTaskStat(renamed))).toEqual(expected);
      }),
    );
  });

  test("a syscall line with any ints", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer(), fc.boolean(), (number, int, isExtended) => {
        const word = BigInt.asUintN(isExtended ? 64 : 32, BigInt(int)).toString(16);
        const state = must(parseTaskSyscall(`${number} 0x${word} 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n`));
        if (state.kind !== "blocked") throw new Error(state.kind);
        expect(argInt32(state.args, 0)).toBe(int);
        expect(state.number).toBe(number);
      }),
    );
  });

  test("maps with any ascending regions", () => {
    const bounds = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 35 }), { minLength: 2 });
    fc.assert(
      fc.property(bounds, fc.nat(2 ** 35), (numbers, probe) => {
        const sorted = [...numbers].sort((a, b) => a - b);
        const pairs = sorted.flatMap((low, index) => {
          const high = sorted[index + 1];
          return index % 2 === 0 && high !== undefined ? [[low, high] as const] : [];
        });
        const text = pairs.map(
          ([low, high]) => `${low.toString(16)}-${high.toString(16)} rw-p 00000000 00:00 0 \n`,
        );
        const maps = must(parseMaps(text.join("")));
        const expected = pairs.find(([low, high]) => low <= probe && probe < high);
        expect(maps.find(address(probe))?.low).toBe(expected?.[0]);
      }),
    );
  });

  test("a TCP row's columns, read in place as in text", () => {
    const port = fc.nat(65535);
    fc.assert(
      fc.property(fc.nat(99_999), port, fc.nat(4e9), fc.boolean(), (slot, remote, inode, isV6) => {
        const host = "0100007F".repeat(isV6 ? 4 : 1);
        const hex = remote.toString(16).toUpperCase().padStart(4, "0");
        const line = `${slot}: ${host}:0016 ${host}:${hex} 01 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0`;
        const buffer = Buffer.from(line);
        expect(inodeInRow(buffer, 0, buffer.length)).toBe(inode);
        expect(remotePortInRow(buffer, 0, buffer.length)).toBe(remote);
        expect(parseTcpRow(line)).toMatchObject({ inode, remotePort: remote, localPort: 22 });
      }),
    );
  });

  test("any bytes in place of a TCP row", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (octets) => {
        const buffer = Buffer.from(octets);
        const found = [
          inodeInRow(buffer, 0, buffer.length),
          remotePortInRow(buffer, 0, buffer.length),
        ];
        expect(found.every((value) => value === null || value >= 0)).toBe(true);
      }),
    );
  });
});

test("a process that ended has no maps", () => {
  expect(whyOf(parseMaps(""))).toBe("gone");
});
