// What the page and the report show, as plain data: made in Node, drawn in the browser. Types only.

import type { Blame, Incident, PeerAddress, Site } from "../../agent/model/incident";

export interface PageData {
  readonly title: string;
  /** When this was put together. */
  readonly madeEpochMs: number;
  /** First and last moment that the data tells of; equal where there is nothing. */
  readonly fromEpochMs: number;
  readonly toEpochMs: number;
  readonly totals: Totals;
  readonly causes: readonly CauseRow[];
  readonly culprits: readonly CulpritRow[];
  readonly commands: readonly CommandRow[];
  readonly stalls: readonly TimelineStall[];
  /** In order of time. */
  readonly incidents: readonly Incident[];
  /** What the reader should know of what is not here, a sentence each. */
  readonly notes: readonly string[];
}

export interface Totals {
  /** Each repeat of a folded incident counts. */
  readonly incidents: number;
  readonly stalledMs: number;
  readonly longestMs: number;
  /** Commands that were held up. */
  readonly commands: number;
  readonly processes: number;
}

export interface CauseRow {
  readonly cause: string;
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

/** Incidents of one culprit at one line. */
export interface CulpritRow {
  readonly cause: string;
  readonly module: string | null;
  readonly symbol: string | null;
  readonly syscall: string | null;
  readonly peer: PeerAddress | null;
  readonly site: Site | null;
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

/** Commands of one kind to one server that incidents held up. */
export interface CommandRow {
  readonly client: string;
  readonly command: string;
  readonly server: string;
  readonly count: number;
  readonly longestMs: number;
  /** Of the slowest one. */
  readonly blame: Blame;
}

export interface TimelineStall {
  readonly startEpochMs: number;
  readonly durationMs: number;
  readonly cause: string;
  /** Index into `incidents`. */
  readonly incident: number;
}
