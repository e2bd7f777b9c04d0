// What crosses the border between the application's threads and the watchdog thread, besides the
// shared memory itself. Posted rarely: once per new name or connection, never per command.

import type { ConnectionInfo } from "./command";
import type { Config } from "./config";
import type { ForwardedCall } from "./evidence";
import type { Incident } from "./incident";

/** Shared memory of one watched thread; the layouts are in base. */
export interface WatchedThread {
  readonly threadId: number;
  /** The kernel's thread id; null where /proc does not tell. */
  readonly tid: number | null;
  readonly beat: SharedArrayBuffer;
  readonly ledger: SharedArrayBuffer;
  readonly gc: SharedArrayBuffer;
  readonly marker: SharedArrayBuffer;
  readonly flags: SharedArrayBuffer;
  /** Absent: the thread cannot be asked for its stack (the inspector reaches the main thread alone). */
  readonly answers?: SharedArrayBuffer;
}

/** A thread as it is given to the watchdog: its memory, and the names behind the numbers in it. */
export interface ThreadHandover {
  readonly thread: WatchedThread;
  readonly commandNames: readonly string[];
  readonly connections: readonly ConnectionInfo[];
  /** The forwarded function of id `n` at index `n - 1`. */
  readonly nativeFunctions: readonly ForwardedCall[];
}

/** Handed to the watchdog thread as its workerData; the thread in it is the main thread. */
export interface WatchdogStart extends ThreadHandover {
  readonly loophound: "watchdog";
  readonly config: Config;
  /** Two-way signals of the process: see base/signals. */
  readonly signals: SharedArrayBuffer;
  readonly isSubscribed: boolean;
}

export type ToWatchdog =
  | { readonly kind: "command-name"; readonly id: number; readonly name: string }
  | { readonly kind: "connection"; readonly connection: ConnectionInfo }
  | {
      readonly kind: "connection-closed";
      readonly id: number;
      readonly atMs: number;
      /** A code and no text; null: none was given. Absent for protocols that have none. */
      readonly reason?: string | null;
    }
  /** The broker closed an AMQP channel, for the reason that this code names. */
  | { readonly kind: "channel-closed"; readonly id: number; readonly reason: string }
  /** A broker's alarm (connection.blocked) begins or ends: it does not read from the connection. */
  | {
      readonly kind: "connection-blocked";
      readonly id: number;
      readonly isBlocked: boolean;
      readonly atMs: number;
    }
  /** A native function that is forwarded from now on, under the id that its marker will show. */
  | {
      readonly kind: "native-function";
      readonly id: number;
      readonly module: string;
      readonly name: string;
    }
  | { readonly kind: "subscribe" }
  /** Work has come to an idle loop: look at once. */
  | { readonly kind: "wake" }
  /** The application wants our port: give it up, then say so in the signals. */
  | { readonly kind: "release-port" }
  /** The process exits: write what is held back, then say so in the signals. */
  | { readonly kind: "flush" };

export type FromWatchdog =
  /** Beat again at the fast period: the loop does not look idle from outside. */
  { readonly kind: "beat-fast" } | { readonly kind: "incident"; readonly incident: Incident };

/** What the main thread leaves for the worker threads that the application starts. */
export interface WorkerBriefing {
  readonly config: Config;
  readonly signals: SharedArrayBuffer;
}

/** From a worker thread of the application, straight to the watchdog. */
export interface FromWorker {
  readonly threadId: number;
  readonly message: ToWatchdog | { readonly kind: "thread"; readonly handover: ThreadHandover };
}
