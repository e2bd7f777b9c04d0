// What goes to the live page over the wire: all that is kept at first, then what is new. Types only.

import type { Incident } from "../../agent/model/incident";

/** Commands to one server that settled in one second of the monotonic clock. */
export interface TrafficSecond {
  readonly second: number;
  readonly count: number;
  /** Sums over the commands, in milliseconds: held by the client, under way, and held by a blocked loop. */
  readonly queueMs: number;
  readonly inFlightMs: number;
  readonly loopMs: number;
  /** The slowest one, in all. */
  readonly longestMs: number;
}

export interface ServerTraffic {
  readonly server: string;
  /** In order of time; seconds without a command are left out. */
  readonly seconds: readonly TrafficSecond[];
}

/** A stall that is over. */
export interface LiveStall {
  readonly startEpochMs: number;
  readonly durationMs: number;
  readonly cause: string;
  readonly threadId: number;
}

/** One watched thread, as it is now. */
export interface LiveThread {
  readonly threadId: number;
  readonly status: "ok" | "stalled";
  /** 0 while its loop turns. */
  readonly stalledForMs: number;
  readonly cause: string | null;
  /** What holds it, in words; null where that is not known. */
  readonly culprit: string | null;
}

export interface LiveUpdate {
  /** Of the watchdog: goes on while the application's loop is blocked. */
  readonly nowEpochMs: number;
  /** What makes a monotonic second a time since 1970, in milliseconds. */
  readonly monotonicEpochMs: number;
  readonly pid: number;
  readonly threads: readonly LiveThread[];
  readonly servers: readonly ServerTraffic[];
  readonly stalls: readonly LiveStall[];
  /** In order of time. */
  readonly incidents: readonly Incident[];
}
