// Looks, while the loop is blocked, whether replies to outstanding commands already lie in the
// kernel's receive queues: the proof that the server had answered and nobody read it.

import type { CommandRecord } from "../model/command";
import type { UnreadReply } from "../model/evidence";
import type { Ms } from "../model/units";

/** Connections looked for at one sample, oldest command first. */
const connectionsMax = 64;

/** A search walks the kernel's whole socket table, about 2 ms: it is repeated ever more rarely. */
const firstPauseMs = 10;
const pauseMaxMs = 1000;

/** One connection's row in the kernel's socket table. */
export interface ReceiveQueue {
  readonly localPort: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly rxQueueBytes: number;
}

/** Rows of the connections to servers on these ports. */
export type ReadReceiveQueues = (remotePorts: ReadonlySet<number>) => readonly ReceiveQueue[];

export interface UnreadReplyFinder {
  /** `open`: outstanding commands, oldest first. */
  sample(nowMs: Ms, open: readonly CommandRecord[]): void;
  found(): readonly UnreadReply[];
  reset(): void;
}

export function createUnreadReplyFinder(
  read: ReadReceiveQueues,
  clock: () => Ms,
): UnreadReplyFinder {
  let byConnection = new Map<number, UnreadReply>();
  let pauseMs = firstPauseMs;
  let nextMs = 0;
  return {
    sample(nowMs, open) {
      if (nowMs < nextMs) return;
      const awaited = firstUnansweredByPort(open, byConnection);
      if (awaited.size === 0) return;
      nextMs = nowMs + pauseMs;
      pauseMs = Math.min(pauseMaxMs, pauseMs * 2);
      const rows = read(remotePorts(awaited.values()));
      // Only now is it known: the bytes may have come while the table was being read.
      const seenMs = clock();
      for (const row of rows) {
        const record = awaited.get(row.localPort);
        const reply = record === undefined ? null : unreadReply(record, row, seenMs);
        if (reply !== null) byConnection.set(reply.connectionId, reply);
      }
    },
    found: () => [...byConnection.values()],
    reset: () => {
      byConnection = new Map();
      pauseMs = firstPauseMs;
      nextMs = 0;
    },
  };
}

function unreadReply(record: CommandRecord, row: ReceiveQueue, seenMs: Ms): UnreadReply | null {
  const { connection, sentMs } = record;
  if (row.rxQueueBytes === 0 || connection?.port !== row.remotePort) return null;
  if (sentMs === null || connection.host === null) return null;
  // The kernel gives one local port to connections to several servers: in a cluster all on one port.
  if (plainHost(connection.host) !== plainHost(row.remoteHost)) return null;
  return {
    command: record.command,
    client: connection.client,
    sequence: record.sequence,
    connectionId: connection.id,
    host: connection.host,
    port: connection.port,
    sentMs,
    seenMs,
    rxQueueBytes: row.rxQueueBytes,
  };
}

/** As the kernel's table writes it: without the zone of a link-local address, and IPv4 within IPv6 as IPv4. */
const plainHost = (host: string): string =>
  host.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");

const remotePorts = (records: Iterable<CommandRecord>): ReadonlySet<number> =>
  new Set([...records].map((record) => record.connection?.port ?? 0));

/** Replies come in the order of the commands: what lies unread begins with the oldest one's. */
function firstUnansweredByPort(
  open: readonly CommandRecord[],
  known: ReadonlyMap<number, UnreadReply>,
): ReadonlyMap<number, CommandRecord> {
  const byPort = new Map<number, CommandRecord>();
  for (const record of open) {
    const connection = record.connection;
    if (connection?.localPort == null || record.state !== "sent") continue;
    if (known.has(connection.id) || byPort.has(connection.localPort)) continue;
    byPort.set(connection.localPort, record);
    if (byPort.size >= connectionsMax) break;
  }
  return byPort;
}
