// One row of net/tcp or net/tcp6. The columns that a search goes by are read in place in a Buffer: a
// table of tens of thousands of sockets must not become as many strings. Pure. Kernel documentation
// networking/proc_net_tcp; written by get_tcp4_sock() in
// https://github.com/torvalds/linux/blob/v6.12/net/ipv4/tcp_ipv4.c

import { type Bytes, bytes } from "../model/units";
import { columnStart, decimalColumn } from "./columns";
import { formatHost } from "./ip-address";

export type TcpState =
  | "established"
  | "syn-sent"
  | "syn-received"
  | "fin-wait-1"
  | "fin-wait-2"
  | "time-wait"
  | "closed"
  | "close-wait"
  | "last-ack"
  | "listen"
  | "closing"
  | "new-syn-received";

export interface TcpEntry {
  readonly localHost: string;
  readonly localPort: number;
  readonly remoteHost: string;
  /** 0 for a listening socket. */
  readonly remotePort: number;
  readonly state: TcpState;
  /** Written by the process and not yet acknowledged by the peer. */
  readonly txQueueBytes: Bytes;
  /**
   * Arrived, and not yet read by the process. For a listening socket the kernel puts the number of
   * connections that wait for accept(2) here.
   */
  readonly rxQueueBytes: Bytes;
  readonly uid: number;
  /** 0 for a socket that no process holds any more, as in time-wait. */
  readonly inode: number;
}

/** A whole row as text; null for the heading, and where a column is not what it ought to be. */
export function parseTcpRow(line: string): TcpEntry | null {
  const match = ROW.exec(line);
  if (match === null) return null;
  const [, local = "", localPort = "", remote = "", remotePort = "", state = ""] = match;
  const [tx = "", rx = "", uid = "", inode = ""] = match.slice(6);
  const localHost = formatHost(local);
  const remoteHost = formatHost(remote);
  const stateName = STATES[Number.parseInt(state, 16)];
  if (localHost === null || remoteHost === null || stateName === undefined) return null;
  return {
    localHost,
    localPort: Number.parseInt(localPort, 16),
    remoteHost,
    remotePort: Number.parseInt(remotePort, 16),
    state: stateName,
    txQueueBytes: bytes(Number.parseInt(tx, 16)),
    rxQueueBytes: bytes(Number.parseInt(rx, 16)),
    uid: Number(uid),
    inode: Number(inode),
  };
}

/** The inode column of the row at `start`..`end`; null when there is none, as in the heading. */
export function inodeInRow(buffer: Buffer, start: number, end: number): number | null {
  return decimalColumn(buffer, start, end, INODE_COLUMN);
}

/** The peer's port in the row at `start`..`end`; null when there is none, as in the heading. */
export function remotePortInRow(buffer: Buffer, start: number, end: number): number | null {
  // The address before it has 8 or 32 digits, so the port is read backwards from the next column.
  const next = columnStart(buffer, start, end, REMOTE_COLUMN + 1);
  let port = 0;
  for (let at = next - 5; at < next - 1; at += 1) {
    const digit = HEX_DIGIT[buffer[at] ?? 0] ?? -1;
    if (digit < 0 || next >= end) return null;
    port = port * 16 + digit;
  }
  return port;
}

/** Columns as spaces divide them: "sl:", local, remote, st, tx:rx, tr:when, retrnsmt, uid, timeout. */
const REMOTE_COLUMN = 2;
const INODE_COLUMN = 9;

/** Value of an upper-case hex digit by its ASCII code, -1 for all others. */
const HEX_DIGIT = Int8Array.from({ length: 128 }, (_, code) =>
  "0123456789ABCDEF".indexOf(String.fromCharCode(code)),
);

const ROW = new RegExp(
  [
    /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})/,
    / ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) [0-9A-F]{2}:[0-9A-F]{8,16} [0-9A-F]{8} +(\d+) +-?\d+ (\d+)\b/,
  ]
    .map((part) => part.source)
    .join(""),
);

/** By number, from 1: https://github.com/torvalds/linux/blob/v6.12/include/net/tcp_states.h */
const STATES: readonly (TcpState | undefined)[] = [
  undefined,
  "established",
  "syn-sent",
  "syn-received",
  "fin-wait-1",
  "fin-wait-2",
  "time-wait",
  "closed",
  "close-wait",
  "last-ack",
  "listen",
  "closing",
  "new-syn-received",
];
