// The TCP sockets of this network namespace, searched without making an object of each row.
// Watchdog thread. Kernel documentation networking/proc_net_tcp.
//
// A search costs a walk through the kernel's whole hash table, empty or not: 1.7 ms with 262144
// buckets. Do not poll it as often as the files of a thread.

import type { Result } from "../model/result";
import { fail, succeed } from "../model/result";
import { bytes } from "../model/units";
import type { ProcRoot } from "./proc-root";
import { inodeInRow, parseTcpRow, remotePortInRow, type TcpEntry } from "./tcp-row";

/** Those of UDP have the same columns: udp4_format_sock() in net/ipv4/udp.c writes them. */
export type TcpTable = "tcp" | "tcp6" | "udp" | "udp6";

export interface TcpSearch {
  /** In the kernel's order. */
  readonly entries: readonly TcpEntry[];
  /** False when a limit of ours stopped the search: an entry that is not here may exist. */
  readonly isComplete: boolean;
}

/** 150 bytes a row in net/tcp, at most 200 in net/tcp6: some 50,000 sockets. */
export const TCP_TABLE_BYTES_MAX = bytes(8 * 1024 * 1024);
/** More connections than this to the servers in question are a flood, and a sample of it will do. */
export const TCP_ENTRIES_MAX = 4096;
/** A row of net/tcp6 with every column at its widest. */
const ROW_BYTES_MAX = bytes(256);

export const udpTables: readonly TcpTable[] = ["udp", "udp6"];

/** Both tables by default. IPv4 peers of a dual-stack socket, such as a server's, are in tcp6. */
const BOTH: readonly TcpTable[] = ["tcp", "tcp6"];

/** Stops as soon as every inode was found. */
export function findByInodes(
  proc: ProcRoot,
  inodes: ReadonlySet<number>,
  tables = BOTH,
): Result<TcpSearch> {
  // Sockets that nobody holds all have inode 0, which therefore names none.
  const wanted = new Set(inodes);
  wanted.delete(0);
  const isWanted: RowTest = (buffer, start, end) => {
    const inode = inodeInRow(buffer, start, end);
    return inode !== null && wanted.has(inode);
  };
  return search(proc, tables, isWanted, wanted.size);
}

/** Every socket whose peer has one of these ports. */
export function findByRemotePorts(
  proc: ProcRoot,
  ports: ReadonlySet<number>,
  tables = BOTH,
): Result<TcpSearch> {
  const isWanted: RowTest = (buffer, start, end) => {
    const port = remotePortInRow(buffer, start, end);
    return port !== null && ports.has(port);
  };
  return search(proc, tables, isWanted, Number.POSITIVE_INFINITY);
}

type RowTest = (buffer: Buffer, start: number, end: number) => boolean;

function search(
  proc: ProcRoot,
  tables: readonly TcpTable[],
  isWanted: RowTest,
  countWanted: number,
): Result<TcpSearch> {
  const entries: TcpEntry[] = [];
  const countMax = Math.min(countWanted, TCP_ENTRIES_MAX);
  let isComplete = true;
  for (const table of tables) {
    if (entries.length >= countMax) break;
    const scanned = searchTable(proc, table, isWanted, entries, countMax);
    if (!scanned.ok) return scanned;
    isComplete &&= scanned.value;
  }
  if (entries.length === TCP_ENTRIES_MAX && countWanted > TCP_ENTRIES_MAX) isComplete = false;
  return succeed({ entries, isComplete });
}

/** Adds to `entries`; the value says whether the table was read as far as it mattered. */
function searchTable(
  proc: ProcRoot,
  table: TcpTable,
  isWanted: RowTest,
  entries: TcpEntry[],
  countMax: number,
): Result<boolean> {
  const path = `self/net/${table}`;
  let unreadable = 0;
  const visit = (buffer: Buffer, start: number, end: number): boolean => {
    if (!isWanted(buffer, start, end)) return true;
    const entry = parseTcpRow(buffer.toString("latin1", start, end));
    if (entry === null) unreadable += 1;
    else entries.push(entry);
    return entries.length < countMax;
  };
  const scan = { limitBytes: TCP_TABLE_BYTES_MAX, lineBytesMax: ROW_BYTES_MAX, visit };
  const scanned = proc.scanLines(path, scan);
  if (unreadable > 0) return fail("malformed", `${path}: ${unreadable} rows are not as documented`);
  if (scanned.ok) return succeed(true);
  if (scanned.why === "limit") return succeed(false);
  // A kernel without IPv6 has no net/tcp6 and net/udp6: the other table is then all there is.
  return scanned.why === "gone" && table.endsWith("6") ? succeed(true) : scanned;
}
