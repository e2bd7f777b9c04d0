// The name that a Unix socket is bound to. Watchdog thread. Kernel documentation filesystems/proc,
// net/unix; written by unix_seq_show() in
// https://github.com/torvalds/linux/blob/v6.12/net/unix/af_unix.c
//
// What can be said: a listening socket and every connection it accepted carry the listener's path. A
// connecting socket is bound to nothing, and the row does not tell its peer (only a netlink socket
// would, which Node cannot open). So a client's own connection has no path here, and none is guessed.

import type { Result } from "../model/result";
import { fail, succeed } from "../model/result";
import { bytes } from "../model/units";
import { decimalColumn } from "./columns";
import type { ProcRoot } from "./proc-root";

export interface UnixEntry {
  readonly inode: number;
  /** "@..." for an abstract name; null for a socket that is bound to none. */
  readonly path: string | null;
}

/** About 60 bytes a row and the path: some 50,000 sockets. */
export const UNIX_TABLE_BYTES_MAX = bytes(4 * 1024 * 1024);
/** sun_path has 108 bytes, and the columns before it about 60. */
const ROW_BYTES_MAX = bytes(512);

/** Fails `gone` when no Unix socket of this network namespace has the inode. */
export function findUnixSocket(proc: ProcRoot, inode: number): Result<UnixEntry> {
  const found: UnixEntry[] = [];
  const visit = (buffer: Buffer, start: number, end: number): boolean => {
    if (decimalColumn(buffer, start, end, INODE_COLUMN) !== inode) return true;
    const entry = parseUnixRow(buffer.toString("utf8", start, end));
    if (entry !== null) found.push(entry);
    return found.length === 0;
  };
  const scan = { limitBytes: UNIX_TABLE_BYTES_MAX, lineBytesMax: ROW_BYTES_MAX, visit };
  const scanned = proc.scanLines("self/net/unix", scan);
  if (found[0] !== undefined) return succeed(found[0]);
  return scanned.ok ? fail("gone", `no Unix socket has inode ${inode}`) : scanned;
}

/** "Num: RefCount Protocol Flags Type St Inode Path"; null for the heading and what is no row. */
export function parseUnixRow(line: string): UnixEntry | null {
  const match = ROW.exec(line);
  if (match === null) return null;
  return { inode: Number(match[1]), path: match[2] ?? null };
}

/** Num, RefCount, Protocol, Flags, Type and St come before it. */
const INODE_COLUMN = 6;

/** The inode is padded to five, and the path, which may hold anything, comes after one space. */
const ROW =
  /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} [0-9A-F]{2} +(\d+)(?: (.+))?$/is;
