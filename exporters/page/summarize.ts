// Incidents in, what the page shows out: totals, tables, timeline. Pure.

import type { ChargedCommand, Incident } from "../../agent/model/incident";
import type {
  CauseRow,
  CommandRow,
  CulpritRow,
  PageData,
  TimelineStall,
  Totals,
} from "./page-data";

/** More bars than this cannot be told apart on a screen: the longest are kept. */
const stallsMax = 20_000;
/** A table that is longer is not read to its end. */
const rowsMax = 500;

export interface SummaryOptions {
  readonly title: string;
  readonly madeEpochMs: number;
  readonly notes: readonly string[];
}

/** `incidents` in any order; where one stands both open and closed, the closed one counts. */
export function summarize(incidents: readonly Incident[], options: SummaryOptions): PageData {
  const ordered = withoutReplaced(incidents).sort((a, b) => startOf(a) - startOf(b));
  const stalls = ordered.flatMap(timelineOf);
  const shown = longest(stalls, stallsMax);
  const left = stalls.length - shown.length;
  const leftNote = left === 0 ? [] : [`The timeline leaves out the ${left} shortest stalls.`];
  return {
    title: options.title,
    madeEpochMs: options.madeEpochMs,
    fromEpochMs: ordered[0] === undefined ? options.madeEpochMs : startOf(ordered[0]),
    toEpochMs: ordered.reduce(
      (end, one) => Math.max(end, endOf(one)),
      ordered[0] === undefined ? options.madeEpochMs : 0,
    ),
    totals: totalsOf(ordered, stalls),
    causes: causesOf(ordered).slice(0, rowsMax),
    culprits: culpritsOf(ordered).slice(0, rowsMax),
    commands: commandsOf(ordered).slice(0, rowsMax),
    stalls: shown,
    incidents: ordered,
    notes: [...options.notes, ...leftNote],
  };
}

function withoutReplaced(incidents: readonly Incident[]): Incident[] {
  const key = ({ pid, id }: Incident): string => `${pid} ${id}`;
  const closed = new Set(incidents.filter(({ state }) => state === "closed").map(key));
  return incidents.filter((one) => one.state === "closed" || !closed.has(key(one)));
}

const startOf = (incident: Incident): number => Date.parse(incident.startedAt);

const endOf = (incident: Incident): number =>
  Math.max(
    startOf(incident) + incident.durationMs,
    ...incident.stalls.map(({ startEpochMs, durationMs }) => startEpochMs + durationMs),
  );

/** The time that an incident and those folded into it took; those that are not listed count as much as the average one. */
function spentMs({ stalls, repeats, durationMs }: Incident): number {
  if (stalls.length === 0) return durationMs * repeats;
  const listedMs = stalls.reduce((sum, stall) => sum + stall.durationMs, 0);
  return listedMs * Math.max(1, repeats / stalls.length);
}

function timelineOf(incident: Incident, index: number): readonly TimelineStall[] {
  const { cause, stalls } = incident;
  return stalls.map((stall) => ({ ...stall, cause, incident: index }));
}

function longest(stalls: readonly TimelineStall[], most: number): readonly TimelineStall[] {
  const kept =
    stalls.length <= most
      ? [...stalls]
      : [...stalls].sort((a, b) => b.durationMs - a.durationMs).slice(0, most);
  return kept.sort((a, b) => a.startEpochMs - b.startEpochMs);
}

function totalsOf(incidents: readonly Incident[], stalls: readonly TimelineStall[]): Totals {
  const sum = (of: (incident: Incident) => number): number =>
    incidents.reduce((total, incident) => total + of(incident), 0);
  return {
    incidents: sum(({ repeats }) => repeats),
    stalledMs: sum((incident) => (incident.stall === null ? 0 : spentMs(incident))),
    longestMs: stalls.reduce((most, { durationMs }) => Math.max(most, durationMs), 0),
    commands: sum(({ commands }) => commands.reduce((total, { count }) => total + count, 0)),
    processes: new Set(incidents.map(({ pid }) => pid)).size,
  };
}

interface Spent {
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

/** Sums of the incidents with the same key, dearest first. */
function grouped<Row extends object>(
  incidents: readonly Incident[],
  rowOf: (incident: Incident) => Row | null,
): readonly (Row & Spent)[] {
  const groups = new Map<string, Row & Spent>();
  for (const incident of incidents) {
    const row = rowOf(incident);
    if (row === null) continue;
    const key = JSON.stringify(row);
    const before: Spent = groups.get(key) ?? { count: 0, totalMs: 0, longestMs: 0 };
    groups.set(key, {
      ...row,
      count: before.count + incident.repeats,
      totalMs: before.totalMs + spentMs(incident),
      longestMs: Math.max(before.longestMs, incident.durationMs),
    });
  }
  return [...groups.values()].sort((a, b) => b.totalMs - a.totalMs);
}

const causesOf = (incidents: readonly Incident[]): readonly CauseRow[] =>
  grouped(incidents, ({ cause }) => ({ cause }));

const culpritsOf = (incidents: readonly Incident[]): readonly CulpritRow[] =>
  grouped(incidents, ({ cause, culprit }) => {
    if (culprit === null) return null;
    const { module, symbol, syscall, peer, site } = culprit;
    return { cause, module, symbol, syscall, peer, site };
  });

function commandsOf(incidents: readonly Incident[]): readonly CommandRow[] {
  const rows = new Map<string, CommandRow>();
  for (const charged of incidents.flatMap(({ commands }) => commands)) {
    const { client, command, count, maxMs, blame } = charged;
    const key = JSON.stringify([client, command, charged.host, charged.port]);
    const before = rows.get(key);
    const isSlowest = before === undefined || maxMs > before.longestMs;
    const slowest = isSlowest ? { longestMs: maxMs, blame } : before;
    const server = serverOf(charged);
    const { longestMs, blame: parts } = slowest;
    const total = (before?.count ?? 0) + count;
    rows.set(key, { client, command, server, count: total, longestMs, blame: parts });
  }
  return [...rows.values()].sort((a, b) => b.longestMs - a.longestMs);
}

function serverOf({ host, port }: ChargedCommand): string {
  if (host === null) return "unknown";
  const name = host.includes(":") ? `[${host}]` : host;
  return port === null ? name : `${name}:${port}`;
}
