import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { formatHost } from "../../../agent/kernel/ip-address";
import { findByInodes, findByRemotePorts, TCP_ENTRIES_MAX } from "../../../agent/kernel/net-tcp";
import { findUnixSocket, parseUnixRow } from "../../../agent/kernel/net-unix";
import { createProcRoot, type ProcRoot } from "../../../agent/kernel/proc-root";
import { inodeInRow, parseTcpRow, remotePortInRow } from "../../../agent/kernel/tcp-row";
import { must, recorded, whyOf } from "./fixture";

const HEADING =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (slot: number, remotePort: string, inode: number, state = "01"): string =>
  `${String(slot).padStart(4)}: 0100007F:1F90 0200000A:${remotePort} ${state} 00000003:00000012 01:00000014 00000000  1000        0 ${inode} 2 0000000040627a40 20 4 30 10 -1`.padEnd(
    149,
  );

/** Runs with a /proc whose tables are these texts. */
function withTables<T>(tables: Record<string, string>, run: (proc: ProcRoot) => T): T {
  const root = mkdtempSync(join(tmpdir(), "loophound-net-"));
  try {
    mkdirSync(join(root, "self/net"), { recursive: true });
    for (const [name, text] of Object.entries(tables)) {
      writeFileSync(join(root, "self/net", name), text);
    }
    return run(createProcRoot(root));
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe("an address", () => {
  test.each([
    ["0100007F", "127.0.0.1"],
    ["0200000A", "10.0.0.2"],
    ["00000000", "0.0.0.0"],
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000001000000", "::1"],
    ["0000000000000000FFFF00000100007F", "127.0.0.1"],
    ["B80D0120000000000000000001000000", "2001:db8::1"],
    // RFC 5952 4.2.2: a single zero group is not shortened; 4.2.3: the first of two equal runs is.
    ["B80D0120010000000100010001000100", "2001:db8:0:1:1:1:1:1"],
    ["B80D0120000000000000010001000000", "2001:db8::1:0:0:1"],
    ["000080FE00000000FF005450B6AD1DFE", "fe80::5054:ff:fe1d:adb6"],
  ])("%s reads %s on a little-endian machine", (hex, host) => {
    expect(formatHost(hex, true)).toBe(host);
  });

  test("is not turned around on a big-endian machine", () => {
    expect(formatHost("7F000001", false)).toBe("127.0.0.1");
  });

  test.each(["", "0100007", "0100007G", "0100007F00"])("is none: '%s'", (hex) => {
    expect(formatHost(hex)).toBeNull();
  });
});

describe("a row of net/tcp", () => {
  test("gives all columns", () => {
    expect(parseTcpRow(row(0, "18EB", 4711))).toEqual({
      localHost: "127.0.0.1",
      localPort: 8080,
      remoteHost: "10.0.0.2",
      remotePort: 6379,
      state: "established",
      txQueueBytes: 3,
      rxQueueBytes: 18,
      uid: 1000,
      inode: 4711,
    });
  });

  test("is read in place as well", () => {
    const buffer = Buffer.from(`garbage 1 2 3\n${row(123456, "18EB", 4711)}\n9 9 9`);
    const start = buffer.indexOf("\n") + 1;
    const end = buffer.indexOf("\n", start);
    expect(inodeInRow(buffer, start, end)).toBe(4711);
    expect(remotePortInRow(buffer, start, end)).toBe(6379);
  });

  test("is none: heading, cut short, unknown state", () => {
    const heading = Buffer.from(HEADING);
    expect(parseTcpRow(HEADING)).toBeNull();
    expect(inodeInRow(heading, 0, heading.length)).toBeNull();
    expect(remotePortInRow(heading, 0, heading.length)).toBeNull();
    const short = Buffer.from(row(1, "18EB", 4711).slice(0, 30));
    expect(inodeInRow(short, 0, short.length)).toBeNull();
    expect(parseTcpRow(row(1, "18EB", 4711).slice(0, 90))).toBeNull();
    expect(parseTcpRow(row(1, "18EB", 4711, "FF"))).toBeNull();
  });
});

describe("searching TCP sockets", () => {
  test("finds recorded ones by inode, in both tables", () => {
    const proc = recorded("sockets");
    const fd34 = Number(must(proc.readLink("self/fd/34")).replace(/\D/g, ""));
    const fd35 = Number(must(proc.readLink("self/fd/35")).replace(/\D/g, ""));
    const { entries, isComplete } = must(findByInodes(proc, new Set([fd34, fd35])));
    expect(isComplete).toBe(true);
    expect(entries.map(({ remoteHost, rxQueueBytes }) => [remoteHost, rxQueueBytes])).toEqual([
      ["127.0.0.1", 18],
      ["::1", 0],
    ]);
  });

  test("finds recorded ones by the peer's port", () => {
    const proc = recorded("sockets");
    const fd30 = Number(must(proc.readLink("self/fd/30")).replace(/\D/g, ""));
    const client = must(findByInodes(proc, new Set([fd30]))).entries[0];
    if (client === undefined) throw new Error("no row");
    const found = must(findByRemotePorts(proc, new Set([client.remotePort]))).entries;
    expect(found).toEqual([client]);
  });

  test("takes inode 0 for nobody's", () => {
    withTables({ tcp: `${HEADING}\n${row(0, "18EB", 0, "06")}\n` }, (proc) => {
      expect(must(findByInodes(proc, new Set([0]))).entries).toEqual([]);
      expect(must(findByRemotePorts(proc, new Set([6379]))).entries).toHaveLength(1);
    });
  });

  test("finds one among tens of thousands, wherever it is", () => {
    const rows = Array.from({ length: 30_000 }, (_, slot) => row(slot, "1538", 100_000 + slot));
    for (const at of [0, 435, 436, 29_999]) {
      rows[at] = row(at, "18EB", 7);
      withTables({ tcp: `${HEADING}\n${rows.join("\n")}\n` }, (proc) => {
        expect(must(findByInodes(proc, new Set([7]))).entries).toHaveLength(1);
        expect(must(findByRemotePorts(proc, new Set([6379]))).entries).toHaveLength(1);
      });
      rows[at] = row(at, "1538", 100_000 + at);
    }
  });

  test("says when it stopped at a limit", () => {
    const rows = Array.from({ length: 60_000 }, (_, slot) => row(slot, "1538", 100_000 + slot));
    withTables({ tcp: `${HEADING}\n${rows.join("\n")}\n` }, (proc) => {
      expect(must(findByInodes(proc, new Set([7])))).toEqual({ entries: [], isComplete: false });
      const flood = must(findByRemotePorts(proc, new Set([0x1538])));
      expect(flood.entries).toHaveLength(TCP_ENTRIES_MAX);
      expect(flood.isComplete).toBe(false);
      const early = must(findByInodes(proc, new Set([100_005])));
      expect(early.entries).toHaveLength(1);
      expect(early.isComplete).toBe(true);
    });
  });

  test("lives without IPv6, not without any table", () => {
    withTables({ tcp: `${HEADING}\n` }, (proc) => {
      expect(must(findByInodes(proc, new Set([7])))).toEqual({ entries: [], isComplete: true });
    });
    withTables({}, (proc) => {
      expect(whyOf(findByInodes(proc, new Set([7])))).toBe("gone");
    });
  });

  test("does not pass over a row it cannot read", () => {
    withTables({ tcp: `${HEADING}\n${row(0, "18EB", 7, "FF")}\n` }, (proc) => {
      expect(whyOf(findByInodes(proc, new Set([7])))).toBe("malformed");
    });
  });
});

describe("searching Unix sockets", () => {
  test("finds the path at the accepting end only", () => {
    const proc = recorded("sockets");
    const inodeOf = (fd: number): number =>
      Number(must(proc.readLink(`self/fd/${fd}`)).replace(/\D/g, ""));
    expect(must(findUnixSocket(proc, inodeOf(37))).path).toBe("/run/app.sock");
    expect(must(findUnixSocket(proc, inodeOf(33))).path).toBeNull();
    expect(whyOf(findUnixSocket(proc, 1))).toBe("gone");
  });

  test("reads abstract names and spaces", () => {
    const line = "00000000545ddc19: 00000002 00000000 00010000 0001 01   441 @my app";
    expect(parseUnixRow(line)).toEqual({ inode: 441, path: "@my app" });
    expect(parseUnixRow("Num       RefCount Protocol Flags    Type St Inode Path")).toBeNull();
  });
});
