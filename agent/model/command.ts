// What the ledger knows of one command on its way through a client, and of the connection that
// carries it. Names and addresses only: never an argument, a key, a value or a credential.

import type { Ms } from "./units";

/** `sent` is the first state in which the bytes have left; `flushed` means it ended without a reply. */
export type CommandState = "called" | "sent" | "replied" | "failed" | "flushed";

export interface CommandRecord {
  /** Counts up from 1 within one ledger; names the record for its whole life. */
  readonly sequence: number;
  /** Upper case, at most 24 characters, e.g. `EXPIRE` or `basic.ack`. */
  readonly command: string;
  readonly connection: ConnectionInfo | null;
  readonly state: CommandState;
  /** Monotonic time at which the application called the client. */
  readonly calledMs: Ms;
  /** When the bytes were handed to the socket; null while still queued. */
  readonly sentMs: Ms | null;
  /** When the client took the reply out of what it had read; null while open. */
  readonly repliedMs: Ms | null;
  /** Commands already unanswered on that connection when this one was called. */
  readonly ahead: number;
  /**
   * How long a blocking command was asked to wait at most: Infinity for ever, 0 not at all (XREAD
   * without BLOCK). null for all other commands, and where the argument could not be read.
   */
  readonly askedMs: Ms | null;
}

export interface ConnectionInfo {
  /** Counts up from 1 within one ledger; a reconnected client gets a new one. */
  readonly id: number;
  /** Client library as its users call it: `ioredis`, `node-redis`, `amqplib`, ... */
  readonly client: string;
  readonly protocol: "redis" | "amqp";
  /** Remote address; null while not connected, and for a Unix socket. */
  readonly host: string | null;
  readonly port: number | null;
  /** Our end's port, by which the kernel's socket table finds the connection; null as `host`. */
  readonly localPort: number | null;
  /** AMQP's heartbeat as negotiated; null or absent: there is none, or it is not known. */
  readonly heartbeatMs?: Ms | null;
  /** When the client could use it; absent where that is not known. */
  readonly openedMs?: Ms;
  /** Of a Unix socket; absent for TCP. */
  readonly path?: string;
  /** The application speaks TLS with it; absent: it does not. */
  readonly isTls?: boolean;
}
