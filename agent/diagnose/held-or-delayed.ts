// Tells a server that held all its answers from a path that delays each one. Pure.
//
// Two answers to questions asked some time apart: if they were held, they came at one moment and
// took times that differ by that interval; if they were delayed, they took the same time and came
// that interval apart. Whichever difference is clearly the smaller one is a vote.

import type { Ms } from "../model/units";

/** A question on its way, or one that was. */
export interface Flight {
  /** null: the control experiment's own. */
  readonly connectionId: number | null;
  readonly sentMs: Ms;
  /** When it was answered, or now if it is not. */
  readonly untilMs: Ms;
}

export interface Votes {
  readonly held: number;
  readonly delayed: number;
  /** Pairs that decide nothing: asked for at one time, or alike in neither way. */
  readonly open: number;
}

/** Closer questions cannot be told apart: replies are read one by one. */
const apartMs = 8;
/** Two replies that one event let go: the read of one may wait for the other's. */
export const sameMomentMs = 15;
/** After a long silence the backlog is answered one by one: the part of the shorter time that this may take. */
const backlogShare = 0.1;

export const durationOf = ({ sentMs, untilMs }: Flight): number => untilMs - sentMs;

export const endsApart = (one: Flight, other: Flight): number =>
  Math.abs(one.untilMs - other.untilMs);

/** After a silence of that length, within which time its answers are still the silence's. */
export const lettingGoMs = (silenceMs: number): number =>
  Math.max(sameMomentMs, silenceMs * backlogShare);

/** Both were answered at one moment. */
const endTogether = (one: Flight, other: Flight): boolean =>
  endsApart(one, other) <= lettingGoMs(Math.min(durationOf(one), durationOf(other)));

/** `flights` that were under way together with `answer`, each a vote. */
export function vote(answer: Flight, flights: readonly Flight[]): Votes {
  const votes = { held: 0, delayed: 0, open: 0 };
  for (const flight of flights) {
    if (flight.sentMs < answer.untilMs && flight.untilMs > answer.sentMs) {
      votes[kindOf(answer, flight)]++;
    }
  }
  return votes;
}

function kindOf(one: Flight, other: Flight): keyof Votes {
  const apart = endsApart(one, other);
  const lengthsApart = Math.abs(durationOf(one) - durationOf(other));
  if (Math.abs(one.sentMs - other.sentMs) < apartMs) return "open";
  // Of two times as unlike as a long one and a short one, half the difference is no moment.
  if (apart < lengthsApart / 2) return endTogether(one, other) ? "held" : "open";
  return lengthsApart < apart / 2 ? "delayed" : "open";
}
