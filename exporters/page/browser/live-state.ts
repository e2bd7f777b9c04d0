// What the live page knows: updates are added to it, and what is too old is let go. Pure.

import type { Incident } from "../../../agent/model/incident";
import type { LiveStall, LiveThread, LiveUpdate, TrafficSecond } from "../../live/live-data";

/** As far back as the watchdog keeps. */
export const windowMs = 600_000;
const incidentsKept = 200;

export interface LiveState {
  readonly nowEpochMs: number;
  readonly monotonicEpochMs: number;
  readonly pid: number;
  readonly threads: readonly LiveThread[];
  readonly servers: ReadonlyMap<string, readonly TrafficSecond[]>;
  readonly stalls: readonly LiveStall[];
  readonly incidents: readonly Incident[];
}

export const emptyState: LiveState = {
  nowEpochMs: 0,
  monotonicEpochMs: 0,
  pid: 0,
  threads: [],
  servers: new Map(),
  stalls: [],
  incidents: [],
};

/** Another process than before (a restart) begins anew. */
export function afterUpdate(before: LiveState, update: LiveUpdate): LiveState {
  const state = before.pid === update.pid ? before : emptyState;
  const { nowEpochMs, monotonicEpochMs, pid, threads } = update;
  const oldestMs = nowEpochMs - windowMs;
  const servers = new Map(state.servers);
  for (const { server, seconds } of update.servers) {
    servers.set(server, merge(servers.get(server) ?? [], seconds));
  }
  const fresh = new Set(update.incidents.map(({ id }) => id));
  const incidents = [...state.incidents.filter(({ id }) => !fresh.has(id)), ...update.incidents];
  return {
    nowEpochMs,
    monotonicEpochMs,
    pid,
    threads,
    servers: new Map(
      [...servers].map(([server, seconds]) => [
        server,
        seconds.filter(({ second }) => second * 1000 + monotonicEpochMs >= oldestMs),
      ]),
    ),
    stalls: [...state.stalls, ...update.stalls].filter(
      ({ startEpochMs }) => startEpochMs >= oldestMs,
    ),
    incidents: incidents.slice(-incidentsKept),
  };
}

/** A second that comes again replaces what was known of it. */
function merge(
  known: readonly TrafficSecond[],
  fresh: readonly TrafficSecond[],
): readonly TrafficSecond[] {
  const first = fresh[0]?.second;
  return first === undefined ? known : [...known.filter(({ second }) => second < first), ...fresh];
}
