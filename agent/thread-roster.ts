// The threads that the watchdog watches: the main thread and the application's workers, each at its
// own pace, up to a limit. Watchdog thread.

import type { MetricsStore } from "../exporters/metrics-store";
import type { ThreadHealth } from "../exporters/routes";
import { guard } from "./base/guard";
import type { GcKind } from "./model/gc";
import { type Ms, ms } from "./model/units";
import type { ThreadHandover, ToWatchdog } from "./model/wire";
import type { ThreadDesk } from "./thread-desk";

/**
 * Workers watched at once. Each costs the watchdog up to five descriptors, 40 to 200 KB, and about
 * 20 µs a look: 32 busy ones take it 6 % of a core.
 */
export const workersMax = 32;
/** Refused ones remembered, so that each is counted once. */
const refusedMax = 1024;
/** After a fault of our own: soon enough to go on, too rare to spin. */
const afterFaultMs = ms(100);

export interface ThreadRoster {
  /** Looks at every thread that is due; returns how long to sleep until the next one is. */
  look(atMs: Ms): Ms;
  /** A thread to watch from now on. Nothing happens if it is watched already; false: no place is left. */
  join(handover: ThreadHandover): boolean;
  /** Whether that thread is watched. */
  has(threadId: number): boolean;
  /** Work has come to an idle thread: it is due at once. */
  wake(threadId: number): void;
  hear(threadId: number, message: ToWatchdog): void;
  /** Main thread first. */
  health(): readonly ThreadHealth[];
  refresh(): void;
}

export interface RosterOptions {
  /** Each look has its own time: the looks at others before it may have taken long. */
  readonly clock: () => Ms;
  readonly metrics: MetricsStore;
  readonly open: (handover: ThreadHandover) => ThreadDesk;
  /** Asks a thread to beat fast, once. */
  readonly askFastBeats: (desk: ThreadDesk) => void;
  /** A place is free again after one was refused. */
  readonly onPlaceFree: () => void;
  readonly onEnded: (threadId: number) => void;
}

interface Place {
  readonly desk: ThreadDesk;
  dueMs: Ms;
  /** The answer is a beat, which may have to wait for the end of a stall. */
  isAsked: boolean;
}

export function createThreadRoster(main: ThreadHandover, options: RosterOptions): ThreadRoster {
  const places = new Map<number, Place>();
  const ended = createEndedTotals();
  const refused = new Set<number>();

  function take(handover: ThreadHandover): void {
    const desk = options.open(handover);
    refused.delete(desk.threadId);
    places.set(desk.threadId, { desk, dueMs: ms(0), isAsked: false });
  }

  function lookAt(place: Place, atMs: Ms): void {
    const { desk } = place;
    const restMs = guard("watchdog", () => desk.look(atMs), afterFaultMs);
    place.dueMs = dueTogether([...places.values()], place, atMs, restMs);
    if (desk.threadId !== main.thread.threadId && desk.isOver()) {
      release(desk, atMs);
      return;
    }
    const wants = desk.wantsFastBeats();
    if (wants && !place.isAsked) options.askFastBeats(desk);
    place.isAsked = wants;
  }

  function release(desk: ThreadDesk, atMs: Ms): void {
    places.delete(desk.threadId);
    guard("watchdog", () => desk.end(atMs), undefined);
    ended.add(desk);
    options.metrics.threadEnded(desk.threadId);
    options.onEnded(desk.threadId);
    if (refused.size > 0) options.onPlaceFree();
  }

  function refuse(threadId: number): false {
    if (!refused.has(threadId)) options.metrics.dropped("worker", 1);
    if (refused.size >= refusedMax) refused.clear();
    refused.add(threadId);
    return false;
  }

  take(main);
  return {
    look(atMs) {
      for (const place of [...places.values()])
        if (place.dueMs <= atMs) lookAt(place, options.clock());
      const dueMs = Math.min(...[...places.values()].map((place) => place.dueMs));
      return ms(Math.max(0, dueMs - atMs));
    },
    join(handover) {
      if (places.has(handover.thread.threadId)) return true;
      // The main thread has a place of its own.
      if (places.size > workersMax) return refuse(handover.thread.threadId);
      take(handover);
      return true;
    },
    has: (threadId) => places.has(threadId),
    wake(threadId) {
      const place = places.get(threadId);
      if (place !== undefined) place.dueMs = ms(0);
    },
    hear: (threadId, message) => places.get(threadId)?.desk.hear(message),
    health: () => [...places.values()].map(({ desk }) => desk.health()),
    refresh() {
      const desks = [...places.values()].map(({ desk }) => desk);
      const open = desks.reduce((sum, desk) => sum + desk.refresh(), 0);
      options.metrics.commandsOpen(open);
      const totals = ended.with(desks);
      options.metrics.ledgerDropped(totals.ledgerDropped);
      options.metrics.gcTotals(totals.gc);
    },
  };
}

/**
 * When the thread is due again. A wake-up costs the watchdog more than a look, so a thread that can
 * wait that long is looked at together with another, if one is due in the second half of its rest.
 */
function dueTogether(places: readonly Place[], own: Place, atMs: Ms, restMs: Ms): Ms {
  const dueMs = atMs + restMs;
  const others = places
    .filter((place) => place !== own && place.dueMs >= atMs + restMs / 2 && place.dueMs <= dueMs)
    .map((place) => place.dueMs);
  return ms(others.length === 0 ? dueMs : Math.max(...others));
}

/** Totals that must not shrink when a thread ends. */
function createEndedTotals() {
  let ledgerDropped = 0;
  let gc: ReadonlyMap<GcKind, Ms> = new Map();
  return {
    add(desk: ThreadDesk): void {
      const totals = desk.totals();
      ledgerDropped += totals.ledgerDropped;
      gc = sumOf(gc, totals.gc);
    },
    with(desks: readonly ThreadDesk[]) {
      const all = desks.map((desk) => desk.totals());
      return {
        ledgerDropped: all.reduce((sum, totals) => sum + totals.ledgerDropped, ledgerDropped),
        gc: all.reduce((sum, totals) => sumOf(sum, totals.gc), gc),
      };
    },
  };
}

function sumOf(a: ReadonlyMap<GcKind, Ms>, b: ReadonlyMap<GcKind, Ms>): ReadonlyMap<GcKind, Ms> {
  const sum = new Map(a);
  for (const [kind, timeMs] of b) sum.set(kind, ms((sum.get(kind) ?? 0) + timeMs));
  return sum;
}
