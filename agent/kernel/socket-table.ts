// Who or what is at the other end of a descriptor of this process. Watchdog thread.

import type { Result } from "../model/result";
import { fail, succeed } from "../model/result";
import type { Bytes } from "../model/units";
import { type FdTarget, readFdTarget } from "./fd-target";
import { findByInodes, udpTables } from "./net-tcp";
import { findUnixSocket } from "./net-unix";
import type { ProcRoot } from "./proc-root";

export type Peer =
  | {
      readonly kind: "tcp";
      readonly localPort: number;
      /** RFC 5952 text; an IPv4-mapped address is shown as IPv4. */
      readonly remoteHost: string;
      /** 0 for a listening socket. */
      readonly remotePort: number;
      /** Arrived, and not yet read by the process. */
      readonly rxQueueBytes: Bytes;
      /** Written by the process, and not yet acknowledged by the peer. */
      readonly txQueueBytes: Bytes;
    }
  /** A datagram socket that was connected: to a name server, a statsd. */
  | { readonly kind: "udp"; readonly remoteHost: string; readonly remotePort: number }
  /** `path` is this end's own name, null at a connecting end, which has none: see net-unix.ts. */
  | { readonly kind: "unix"; readonly path: string | null }
  /** A socket that is in none of the tables, or a datagram socket without peer: netlink, or one of another network namespace. */
  | { readonly kind: "socket"; readonly inode: number }
  /** What is no socket stands for itself. */
  | Exclude<FdTarget, { kind: "socket" }>;

/**
 * Fails `gone` when the descriptor is not open, and `limit` when a table was too long to be read
 * whole. Costs some microseconds for what is no socket, and up to two walks of the kernel's TCP
 * table (net-tcp.ts) for what is one.
 */
export function peerOfFd(proc: ProcRoot, fd: number): Result<Peer> {
  const target = readFdTarget(proc, fd);
  if (!target.ok || target.value.kind !== "socket") return target as Result<Peer>;
  return peerOfSocket(proc, target.value.inode);
}

function peerOfSocket(proc: ProcRoot, inode: number): Result<Peer> {
  // The table of Unix sockets is the cheapest by far, so it is asked first.
  const unix = findUnixSocket(proc, inode);
  if (unix.ok) return succeed({ kind: "unix", path: unix.value.path });
  const tcp = findByInodes(proc, new Set([inode]));
  if (!tcp.ok) return tcp;
  const entry = tcp.value.entries[0];
  if (entry !== undefined) {
    const { localPort, remoteHost, remotePort, rxQueueBytes, txQueueBytes } = entry;
    return succeed({ kind: "tcp", localPort, remoteHost, remotePort, rxQueueBytes, txQueueBytes });
  }
  if (!tcp.value.isComplete) return fail("limit", `too many sockets to find inode ${inode}`);
  const udp = findByInodes(proc, new Set([inode]), udpTables);
  const datagram = udp.ok ? udp.value.entries[0] : undefined;
  if (datagram !== undefined && datagram.remotePort !== 0) {
    const { remoteHost, remotePort } = datagram;
    return succeed({ kind: "udp", remoteHost, remotePort });
  }
  // Nowhere to be found is a fact only if the cheap table was read to its end as well.
  return unix.why === "gone" ? succeed({ kind: "socket", inode }) : unix;
}
