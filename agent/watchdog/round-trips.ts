// The usual time from sent to replied on each server while the loop is free: the last few dozen,
// in fixed memory. It bounds how much of a held-up command can have been the server's or network's.

import { type Ms, ms } from "../model/units";

const keptPerServer = 64;
const serversMax = 1024;
/** Fewer say nothing about what is usual. */
const neededForUsual = 5;

export interface RoundTrips {
  /** Where the times of one server go; null where there is no room for another server. */
  of(server: string): ((roundTripMs: Ms) => void) | null;
  /** The median; null if too few are known. */
  usualMs(server: string): Ms | null;
}

interface Kept {
  readonly times: Float64Array;
  count: number;
}

export function createRoundTrips(): RoundTrips {
  const servers = new Map<string, Kept>();
  return {
    of(server) {
      const kept = servers.get(server) ?? { times: new Float64Array(keptPerServer), count: 0 };
      if (!servers.has(server) && servers.size >= serversMax) return null;
      servers.set(server, kept);
      return (roundTripMs) => {
        kept.times[kept.count++ % keptPerServer] = roundTripMs;
      };
    },
    usualMs(server) {
      const kept = servers.get(server);
      if (kept === undefined || kept.count < neededForUsual) return null;
      const sorted = kept.times.slice(0, Math.min(kept.count, keptPerServer)).sort();
      return ms(sorted[sorted.length >> 1] as number);
    },
  };
}
