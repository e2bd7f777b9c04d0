// Between the verdicts and the outlets: keeps the newest incidents, and folds repeats, so that the
// log stays bounded under any storm. Watchdog thread; pure but for `publish` and an injected clock.
//
// Folding, as the contract has it: the first three of one kind in any minute have a line each; later
// ones are gathered into one line every ten seconds. A gathered line is its longest incident in full
// (id, startedAt, durationMs, stall, culprit, evidence); `repeats`, `stalls` and `commands` are of
// all of them. An open incident and the closed one that follows it always have lines of their own.

import { guard } from "../base/guard";
import { createLimiter } from "../base/limiter";
import type { Incident } from "../model/incident";
import { type Ms, ms } from "../model/units";
import { asIncident, type Gathered, gather } from "./gathered";
import { bounded } from "./incident-size";

export interface IncidentStore {
  add(incident: Incident): void;
  /** To be called about once a second: writes gathered lines that are due. */
  tick(): void;
  /** Writes everything that is held back, at once: the process ends. */
  flush(): void;
  /** Lines as published, newest first; a closed incident replaces its open one. */
  recent(limit: number): readonly Incident[];
  /** Incidents that are held back. */
  pending(): number;
}

export interface IncidentStoreOptions {
  readonly publish: (incident: Incident) => void;
  readonly nowMs: () => Ms;
  /** Called with the number of incidents that no line stands for. */
  readonly onDropped: (count: number) => void;
}

const recentMax = 200;
const ownLinesPerMinute = 3;
const minuteMs = ms(60_000);
const gatherMs = ms(10_000);
/** Places in an application's code that can block its loop, many times over. */
const kindsMax = 500;
/** A storm of ever new kinds: at most this many lines a minute; what exceeds it is gathered. */
const linesPerMinute = 300;
/** One stall is open at a time in each thread. */
const openMax = 64;

/** What is remembered of one kind of incident. */
interface Kind {
  /** When the last few lines of its own were written, oldest first. */
  ownLinesMs: readonly Ms[];
  gathered: Gathered | null;
}

export function createIncidentStore(options: IncidentStoreOptions): IncidentStore {
  const { nowMs } = options;
  const limiter = createLimiter(linesPerMinute, minuteMs);
  const openIds = new Set<string>();
  let newest: readonly Incident[] = [];

  function publish(incident: Incident): void {
    const others = newest.filter(({ id }) => id !== incident.id);
    newest = [incident, ...others].slice(0, recentMax);
    guard("publish", () => options.publish(incident), undefined);
  }

  function publishGathered(kind: Kind): void {
    if (kind.gathered !== null) publish(asIncident(kind.gathered));
    kind.gathered = null;
  }

  const kinds = createKinds((forgotten) => {
    if (forgotten.gathered === null) return;
    if (limiter.take(nowMs())) publishGathered(forgotten);
    else options.onDropped(forgotten.gathered.repeats);
  });

  function addClosed(incident: Incident): void {
    const now = nowMs();
    const kind = kinds.of(keyOf(incident));
    const wasOpen = openIds.delete(incident.id);
    if (wasOpen || (mayHaveOwnLine(kind, now) && limiter.take(now))) {
      kind.ownLinesMs = [...kind.ownLinesMs, now].slice(-ownLinesPerMinute);
      publish(incident);
    } else {
      kind.gathered = gather(kind.gathered, incident, now);
    }
  }

  function addOpen(incident: Incident): void {
    if (openIds.size >= openMax) openIds.clear();
    openIds.add(incident.id);
    publish(incident);
  }

  return {
    add(incident) {
      const kept = bounded(incident);
      if (kept.state === "open") addOpen(kept);
      else addClosed(kept);
    },
    tick() {
      const now = nowMs();
      for (const kind of kinds.held()) {
        if (isDue(kind, now) && limiter.take(now)) publishGathered(kind);
      }
    },
    flush: () => kinds.held().forEach(publishGathered),
    recent: (limit) => newest.slice(0, Math.max(0, limit)),
    pending: () => kinds.held().reduce((sum, kind) => sum + (kind.gathered?.repeats ?? 0), 0),
  };
}

/** The rule of three; while a line is being gathered, what comes later belongs in it. */
function mayHaveOwnLine(kind: Kind, nowMs: Ms): boolean {
  const inLastMinute = kind.ownLinesMs.filter((at) => nowMs - at < minuteMs);
  return kind.gathered === null && inLastMinute.length < ownLinesPerMinute;
}

const isDue = ({ gathered }: Kind, nowMs: Ms): boolean =>
  gathered !== null && nowMs - gathered.sinceMs >= gatherMs;

/** The kinds seen lately; the one not seen for longest is forgotten when there are too many. */
function createKinds(onForgotten: (kind: Kind) => void) {
  const byKey = new Map<string, Kind>();
  return {
    /** The kind of that key, now the most recently seen. */
    of(key: string): Kind {
      const kind: Kind = byKey.get(key) ?? { ownLinesMs: [], gathered: null };
      byKey.delete(key);
      byKey.set(key, kind);
      const [oldest] = byKey;
      if (byKey.size > kindsMax && oldest !== undefined) {
        byKey.delete(oldest[0]);
        onForgotten(oldest[1]);
      }
      return kind;
    },
    /** Those with a line in the making. */
    held: (): readonly Kind[] => [...byKey.values()].filter(({ gathered }) => gathered !== null),
  };
}

/**
 * Same cause, culprit and site: the same incident. Without a culprit, a slow command's server stands
 * in for it; an `unknown` of one thread is one kind. The workers of a pool run the same code, so they
 * count as one thread.
 */
function keyOf({ cause, culprit, threadId, stall, commands }: Incident): string {
  const server = stall === null ? [commands[0]?.host, commands[0]?.port] : [];
  const site = culprit?.site;
  const place = [site?.function, site?.file, site?.line];
  return JSON.stringify([
    threadId === 0 ? "main" : "worker",
    cause,
    culprit?.module,
    culprit?.symbol,
    culprit?.syscall,
    ...place,
    ...server,
  ]);
}
