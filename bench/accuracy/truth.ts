// The truth that a program wrote about itself: docs/accuracy.md has the format.

import type { Peer } from "./finding";

export const truthSchema = "accuracy.truth/1";

/** One value, or several of which each is right. */
export type OneOf<T> = T | readonly T[];

/** What is left out is not judged. */
export interface TrueCulprit {
  readonly module?: OneOf<string> | null;
  readonly symbol?: OneOf<string>;
  readonly syscall?: OneOf<string>;
  readonly peer?: Peer;
  readonly site?: {
    readonly function: string;
    readonly file: string;
    readonly lines: readonly number[];
  };
}

interface Span {
  readonly threadId: number;
  readonly startEpochMs: number;
  readonly durationMs: number;
}

export interface TrueStall extends Span {
  readonly kind: "stall";
  readonly cause: string;
  readonly culprit: TrueCulprit;
  /** The thread's own account; null where the kernel keeps none. */
  readonly onCpuMs?: number | null;
  readonly runQueueMs?: number | null;
}

export interface InnocentTime extends Span {
  readonly kind: "innocent";
  /** The longest time by which the program's own timer was late. */
  readonly longestMs: number;
}

/** Not part of the experiment: start-up, preparation, a block whose cause is not clear. */
export interface IgnoredTime extends Span {
  readonly kind: "ignore";
}

export type Truth =
  | TrueStall
  | InnocentTime
  | IgnoredTime
  | ({ readonly kind: "end" } & Span)
  | { readonly kind: "skipped" | "failed"; readonly why: string };

/** Throws at a line that is no truth. */
export function parseTruth(text: string): readonly Truth[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const entry = JSON.parse(line) as Truth & { schema?: string };
      if (entry.schema !== truthSchema) throw new Error(`not ${truthSchema}: ${line}`);
      return entry;
    });
}
