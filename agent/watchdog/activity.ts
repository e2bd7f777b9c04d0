// What goes on in the process, second by second, for the last minute: connections, commands, memory.
// Watchdog thread; fixed memory. Consequences and bystanders of incidents are found in it.

import type { Surroundings } from "../model/surroundings";
import type { Ms } from "../model/units";

const secondsKept = 64;
/** In one second; what exceeds it is counted under one name. */
const serversMax = 16;
const otherServers = "others";
/** What belongs together may begin before the incident is noticed, and is told of after it. */
const aroundMs = 1000;

interface Second {
  readonly second: number;
  readonly opened: Map<string, number>;
  closed: number;
  givenUp: number;
  openPeak: number;
  readonly rssBytes: number | null;
}

export interface Activity {
  connectionOpened(server: string, atMs: Ms): void;
  connectionClosed(atMs: Ms): void;
  /** A command ended without a reply. */
  commandGivenUp(atMs: Ms): void;
  /** At each look. */
  commandsOpen(count: number, atMs: Ms): void;
  around(startMs: Ms, endMs: Ms): Surroundings;
}

/** `readRss` is called once a second. */
export function createActivity(readRss: () => number | null): Activity {
  let seconds: readonly Second[] = [];

  function at(atMs: Ms): Second {
    const second = Math.floor(atMs / 1000);
    const newest = seconds.at(-1);
    if (newest !== undefined && newest.second >= second) return newest;
    const made: Second = {
      second,
      opened: new Map(),
      closed: 0,
      givenUp: 0,
      openPeak: 0,
      rssBytes: readRss(),
    };
    seconds = [...seconds.slice(1 - secondsKept), made];
    return made;
  }

  return {
    connectionOpened(server, atMs) {
      const { opened } = at(atMs);
      const name = opened.has(server) || opened.size < serversMax ? server : otherServers;
      opened.set(name, (opened.get(name) ?? 0) + 1);
    },
    connectionClosed(atMs) {
      at(atMs).closed++;
    },
    commandGivenUp(atMs) {
      at(atMs).givenUp++;
    },
    commandsOpen(count, atMs) {
      const now = at(atMs);
      now.openPeak = Math.max(now.openPeak, count);
    },
    around(startMs, endMs) {
      const first = Math.floor((startMs - aroundMs) / 1000);
      const last = Math.floor((endMs + aroundMs) / 1000);
      const within = seconds.filter(({ second }) => second >= first && second <= last);
      return summary(
        within,
        seconds.filter(({ second }) => second < first),
        last - first + 1,
        first,
      );
    },
  };
}

function summary(
  within: readonly Second[],
  before: readonly Second[],
  seconds: number,
  first: number,
): Surroundings {
  const { opened, ...figures } = totals(within);
  const past = totals(before);
  const byServer = [...opened].map(([server, count]) => ({ server, count }));
  return {
    ...figures,
    seconds,
    opened: byServer.sort((a, b) => b.count - a.count),
    before: {
      ...past,
      seconds: first - (before[0]?.second ?? first),
      opened: [...past.opened.values()].reduce((sum, count) => sum + count, 0),
    },
  };
}

function totals(all: readonly Second[]) {
  const opened = new Map<string, number>();
  for (const second of all) {
    for (const [server, count] of second.opened) {
      opened.set(server, (opened.get(server) ?? 0) + count);
    }
  }
  return {
    opened,
    closed: all.reduce((sum, { closed }) => sum + closed, 0),
    givenUp: all.reduce((sum, { givenUp }) => sum + givenUp, 0),
    openPeak: all.reduce((most, { openPeak }) => Math.max(most, openPeak), 0),
    rssBytes: all.at(-1)?.rssBytes ?? null,
  };
}
