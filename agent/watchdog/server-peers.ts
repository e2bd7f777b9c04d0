// Commands that each server answered lately, while the loop was free: silent witnesses of how it
// answered at a given moment. Watchdog thread; fixed memory.

import type { Flight } from "../diagnose/held-or-delayed";
import type { Ms } from "../model/units";

const keptPerServer = 128;
const serversMax = 256;
/** Those sent closer together say the same: so the kept ones reach back more than a second. */
const apartMs = 10;

export interface ServerPeers {
  /** Where the commands of one server go. */
  of(server: string): (connectionId: number, sentMs: Ms, untilMs: Ms) => void;
  /** Those under way at any moment of the interval. */
  about(server: string, startMs: Ms, endMs: Ms): readonly Flight[];
}

export function createServerPeers(): ServerPeers {
  const servers = new Map<string, { flights: readonly Flight[] }>();
  return {
    of(server) {
      const kept = servers.get(server) ?? { flights: [] };
      if (!servers.has(server) && servers.size >= serversMax) servers.clear();
      servers.set(server, kept);
      let newestSentMs = Number.NEGATIVE_INFINITY;
      return (connectionId, sentMs, untilMs) => {
        if (Math.abs(sentMs - newestSentMs) < apartMs) return;
        newestSentMs = sentMs;
        const flight = { connectionId, sentMs, untilMs };
        kept.flights = [...kept.flights.slice(1 - keptPerServer), flight];
      };
    },
    about: (server, startMs, endMs) =>
      (servers.get(server)?.flights ?? []).filter(
        ({ sentMs, untilMs }) => sentMs < endMs && untilMs > startMs,
      ),
  };
}
