// What is usual for a command whose cost depends on the data: its own past on that server, in fixed
// memory. Watchdog thread. Decides nothing but "far outside", "as usual" or "not enough samples yet".

import { createHistogram, type Histogram } from "../base/histogram";
import { type Ms, ms } from "../model/units";

/** Each doubling in two steps, from the time of a local round trip to a minute. */
const boundsMs = Array.from({ length: 37 }, (_, i) => 0.25 * 2 ** (i / 2));
/** The 99th percentile of fewer is one or two values. */
const samplesNeeded = 200;
/** What is usual changes with the data: after so many, the generation before the last is forgotten. */
const samplesPerGeneration = 2000;
/** Five times what 99 of 100 stay under: more than a busy hour does to a healthy server. */
const farOutside = 5;
/** Two histograms of 300 bytes each. */
const historiesMax = 512;

export type HistoryFinding =
  | { readonly kind: "too-few"; readonly samples: number }
  | { readonly kind: "usual" }
  | {
      readonly kind: "outside";
      readonly p99Ms: Ms;
      readonly limitMs: Ms;
      readonly samples: number;
    };

export interface CommandHistory {
  /**
   * Where the times of one command on one server go: sent to replied, of those that no stall held up.
   * null where there is no room for another.
   */
  of(server: string, command: string): ((inFlightMs: Ms) => void) | null;
  /** Against what was added so far. */
  judge(server: string, command: string, inFlightMs: Ms): HistoryFinding;
}

interface Generations {
  previous: Histogram | null;
  current: Histogram;
  /** In `current`. */
  samples: number;
}

export function createCommandHistory(): CommandHistory {
  const servers = new Map<string, Map<string, Generations>>();
  let count = 0;

  function generationsOf(server: string, command: string): Generations | null {
    const known = servers.get(server)?.get(command);
    if (known !== undefined) return known;
    if (count >= historiesMax) return null;
    count++;
    const made = { previous: null, current: createHistogram(boundsMs), samples: 0 };
    const commands = servers.get(server) ?? new Map<string, Generations>();
    servers.set(server, commands.set(command, made));
    return made;
  }

  return {
    of(server, command) {
      const generations = generationsOf(server, command);
      return generations === null ? null : (inFlightMs) => add(generations, inFlightMs);
    },
    judge(server, command, inFlightMs) {
      const generations = servers.get(server)?.get(command);
      if (generations === undefined) return { kind: "too-few", samples: 0 };
      const all = createHistogram(boundsMs);
      all.merge(generations.current);
      if (generations.previous !== null) all.merge(generations.previous);
      const { cumulative, count: samples } = all.read();
      if (samples < samplesNeeded) return { kind: "too-few", samples };
      // The bound above it, so that a value is rather taken for usual than not.
      const bucket = cumulative.findIndex((atMost) => atMost >= samples * 0.99);
      const p99Ms = ms(boundsMs[bucket] ?? Number.POSITIVE_INFINITY);
      const limitMs = ms(p99Ms * farOutside);
      return inFlightMs > limitMs
        ? { kind: "outside", p99Ms, limitMs, samples }
        : { kind: "usual" };
    },
  };
}

function add(generations: Generations, inFlightMs: Ms): void {
  generations.current.observe(inFlightMs);
  if (++generations.samples < samplesPerGeneration) return;
  generations.previous = generations.current;
  generations.current = createHistogram(boundsMs);
  generations.samples = 0;
}
