// How long a blocking command was asked to wait: the one argument that is read, of these commands
// alone. Application thread. Converts nothing that is not text or a number, so nothing of the
// application's runs.

import type { TimeoutPlace } from "../model/timeout-place";

/** More words before STREAMS than any option of these commands makes. */
const wordsMax = 16;
/** No time-out has more digits; longer text is none. */
const timeoutCharsMax = 32;

/**
 * Milliseconds; Infinity for "until something comes"; 0 where the command does not wait; null where
 * the argument cannot be read. `args` without the command's name when `first` is 0. About 100 ns,
 * for blocking commands only.
 */
export function askedWaitMs(
  place: TimeoutPlace,
  args: ArrayLike<unknown>,
  first: number,
): number | null {
  if (place.at !== "option") {
    return inMs(args[place.at === "first" ? first : args.length - 1], place.unitMs);
  }
  let at = first;
  for (let words = 0; words < wordsMax && at < args.length; words++) {
    const word = textOf(args[at])?.toUpperCase();
    if (word === undefined) return null;
    if (word === place.token) return inMs(args[at + 1], place.unitMs);
    if (word === place.until) return 0;
    at += place.options[word] ?? 1;
  }
  return null;
}

function inMs(argument: unknown, unitMs: number): number | null {
  const text = typeof argument === "number" ? argument : textOf(argument);
  if (text === undefined || text === "") return null;
  const value = Number(text) * unitMs;
  if (!(value >= 0)) return null;
  return value === 0 ? Number.POSITIVE_INFINITY : value;
}

function textOf(argument: unknown): string | undefined {
  if (typeof argument === "string") {
    return argument.length <= timeoutCharsMax ? argument : undefined;
  }
  const isShort = Buffer.isBuffer(argument) && argument.length <= timeoutCharsMax;
  return isShort ? argument.toString("latin1") : undefined;
}
