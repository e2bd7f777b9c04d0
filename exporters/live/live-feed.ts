// What the live page is told: keeps the last stalls, incidents and seconds of traffic, and gives each
// reader all of it first and then what is new. Watchdog thread; in fixed memory.

import type { Incident } from "../../agent/model/incident";
import { type Ms, ms } from "../../agent/model/units";
import type { LiveStall, LiveThread, LiveUpdate } from "./live-data";
import { createTraffic, type Traffic } from "./traffic";

/** Ten minutes of a loop that is blocked three times a second. */
const stallsKept = 2000;
/** As many as /incidents keeps. */
const incidentsKept = 200;

export interface LiveFeed {
  readonly traffic: Traffic;
  /** A stall that is over, judged; short ones too. */
  stall(judged: Incident): void;
  /** As the log has it: an open one comes again when it is closed. */
  incident(incident: Incident): void;
  /** Each call gives what has come since the last one; the first one all that is kept. */
  reader(): () => LiveUpdate;
}

export interface LiveFeedOptions {
  readonly nowMs: () => Ms;
  readonly toEpochMs: (at: Ms) => number;
  readonly pid: number;
  readonly threads: () => readonly LiveThread[];
}

export function createLiveFeed(options: LiveFeedOptions): LiveFeed {
  const { nowMs, toEpochMs, pid } = options;
  const traffic = createTraffic();
  const stalls = createTail<LiveStall>(stallsKept);
  const incidents = createTail<Incident>(incidentsKept);
  return {
    traffic,
    stall({ stall, cause, threadId }) {
      if (stall !== null) stalls.add({ ...stall, cause, threadId });
    },
    incident: incidents.add,
    reader() {
      let [second, stall, incident] = [0, 0, 0];
      return () => {
        const now = nowMs();
        const update: LiveUpdate = {
          nowEpochMs: Math.round(toEpochMs(now)),
          monotonicEpochMs: Math.round(toEpochMs(ms(0))),
          pid,
          threads: options.threads(),
          servers: traffic.since(second).filter(({ seconds }) => seconds.length > 0),
          stalls: stalls.since(stall),
          incidents: incidents.since(incident),
        };
        // The second that is not over yet comes again, whole.
        second = Math.floor(now / 1000);
        stall = stalls.count();
        incident = incidents.count();
        return update;
      };
    },
  };
}

/** The last `kept` items, numbered from 0 in the order in which they came. */
function createTail<Item>(kept: number) {
  let items: readonly Item[] = [];
  let count = 0;
  return {
    add(item: Item): void {
      items = [...items.slice(1 - kept), item];
      count += 1;
    },
    count: (): number => count,
    /** Those from number `first` on that are still there. */
    since: (first: number): readonly Item[] => {
      const fresh = Math.min(count - first, items.length);
      return fresh <= 0 ? [] : items.slice(-fresh);
    },
  };
}
