// The contract with everyone who reads an incident: schema `loophound.incident/1`.
// Fields may be added, never renamed or removed.

import type { Cause } from "./cause";

export const incidentSchema = "loophound.incident/1";

export interface Place {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** The place in the source where a source map leads to one, else in the script that runs. */
export interface Site extends Place {
  readonly function: string | null;
  /** The place in the script that runs; only with a source map. */
  readonly generated?: Place;
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

export interface Culprit {
  /** The addon that JavaScript called (base name), or `node:fs` and the like; null if not known. */
  readonly module: string | null;
  /** The innermost function of that module that is on the stack; null if not known. */
  readonly symbol: string | null;
  readonly syscall: string | null;
  /** The other end of the socket that the call waits on; null where it is none. */
  readonly peer: PeerAddress | null;
  /** The file, pipe, lock or Unix socket it waits on, in words; null where it is none. */
  readonly target: string | null;
  readonly site: Site | null;
  /** One line a frame, innermost first; a line that starts with "? " is a guess. */
  readonly nativeStack: readonly string[];
  readonly jsStack: readonly string[];
}

/** Parts of a latency; they add up to it. */
export interface Blame {
  readonly queueMs: number;
  readonly networkMs: number;
  readonly serverMs: number;
  readonly loopMs: number;
  readonly intendedMs: number;
  /** What no evidence assigns to anyone. */
  readonly unknownMs: number;
}

export interface ChargedCommand {
  readonly client: string;
  readonly command: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly count: number;
  readonly maxMs: number;
  /** Of the slowest one. */
  readonly blame: Blame;
  /** How far its parts may be off, one against the other. */
  readonly uncertaintyMs?: number;
}

/** One fact: a kind for machines, a sentence for people, and the figures behind it. */
export interface Evidence {
  readonly kind: string;
  readonly says: string;
  readonly [figure: string]: unknown;
}

export interface StallTimes {
  readonly startEpochMs: number;
  readonly durationMs: number;
}

export interface Incident {
  readonly schema: typeof incidentSchema;
  readonly id: string;
  readonly state: "open" | "closed";
  readonly pid: number;
  readonly threadId: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly cause: Cause;
  /** 0 to 1: how often a verdict on such evidence is right. */
  readonly confidence: number;
  readonly stall: StallTimes | null;
  readonly culprit: Culprit | null;
  readonly commands: readonly ChargedCommand[];
  readonly evidence: readonly Evidence[];
  readonly advice: string;
  /** How many stalls this line stands for. */
  readonly repeats: number;
  /** At most 64, the longest kept. */
  readonly stalls: readonly StallTimes[];
}
