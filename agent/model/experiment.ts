// A control experiment: what a stranger, the watchdog on a connection of its own, found when it asked
// a server for next to nothing. Plain values, by which diagnose/ tells the server from the path to it.

import type { ConnectionInfo } from "./command";
import type { Ms } from "./units";

/** Whom to ask, and how. No credentials: whatever the server answers, it has answered. */
export interface ProbeTarget {
  readonly protocol: ConnectionInfo["protocol"];
  /** null for a Unix socket. */
  readonly host: string | null;
  readonly port: number | null;
  /** Of a Unix socket; null for TCP. */
  readonly path: string | null;
  readonly isTls: boolean;
}

/** How the server answered: any of them took its own work, not only its kernel's. */
export type Answer = "pong" | "error-reply" | "tls-alert" | "connection-start" | "other";

export interface Experiment {
  /** `serverOf` the target. */
  readonly server: string;
  /** The connect began. */
  readonly startedMs: Ms;
  /** The server's kernel had accepted the connection, and the question was sent; null: not so far. */
  readonly connectedMs: Ms | null;
  /** The answer was there; null: not so far. */
  readonly repliedMs: Ms | null;
  readonly answer: Answer | null;
  /** The experiment was over, with an answer or without; null while it goes on. */
  readonly endedMs: Ms | null;
  /** An error's code (`ECONNREFUSED`) or `timeout`; null without one. */
  readonly failure: string | null;
  /** Longest time for which the watchdog itself was kept from noticing anything meanwhile. */
  readonly lateMs: Ms;
}

/** How people name the server at the other end; null where it is not known. */
export function serverOf(connection: ConnectionInfo | null): string | null {
  if (connection === null) return null;
  const { host, port, path } = connection;
  if (host !== null && port !== null) return `${host}:${port}`;
  return path ?? null;
}

/** null where nothing tells how to reach the server. */
export function targetOf(connection: ConnectionInfo): ProbeTarget | null {
  const { protocol, host, port, path = null, isTls = false } = connection;
  if (path === null && (host === null || port === null)) return null;
  return { protocol, host, port, path, isTls };
}
