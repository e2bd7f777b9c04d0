// What crosses the border between the application thread and the watchdog thread, besides the
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
}

/** Handed to the watchdog thread as its workerData. */
export interface WatchdogStart {
  readonly loophound: "watchdog";
  readonly config: Config;
  readonly thread: WatchedThread;
  readonly commandNames: readonly string[];
  readonly connections: readonly ConnectionInfo[];
  /** The forwarded function of id `n` at index `n - 1`. */
  readonly nativeFunctions: readonly ForwardedCall[];
  /** Two-way signals: see base/signals. */
  readonly signals: SharedArrayBuffer;
  readonly isSubscribed: boolean;
}

export type ToWatchdog =
  | { readonly kind: "command-name"; readonly id: number; readonly name: string }
  | { readonly kind: "connection"; readonly connection: ConnectionInfo }
  | { readonly kind: "connection-closed"; readonly id: number; readonly atMs: number }
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
