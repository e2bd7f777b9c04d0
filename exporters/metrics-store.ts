// What the watchdog has counted so far: plain numbers in capped series, fed by typed methods and read
// at a scrape. Watchdog thread. Times come in milliseconds and leave in seconds, the base unit.

import { createHistogram, type Histogram, type HistogramReading } from "../agent/base/histogram";
import { catalogue, type MetricDefinition, type MetricKey } from "../agent/model/catalogue";
import { type Cause, causes } from "../agent/model/cause";
import { type GcKind, gcKinds } from "../agent/model/gc";
import type { Blame, Culprit, Site } from "../agent/model/incident";
import type { Ms } from "../agent/model/units";
import {
  type CommandLabels,
  type CommandMeter,
  createCommandMeter,
  type ResolveCommand,
} from "./command-meter";
import { createSeriesSet, type Labels, type SeriesSet } from "./series";

export interface AgentInfo {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
}

export interface ConnectionLabels {
  readonly client: string;
  /** As in CommandLabels. */
  readonly server: string;
}

export interface OngoingStall {
  readonly ageMs: Ms;
  readonly cause: Cause;
  readonly culprit: Culprit | null;
}

export interface MetricsStore {
  commandMeter(resolve: ResolveCommand): CommandMeter;
  /** One beat of the heartbeat and by how much it was late; beats that it prevented are made up for. */
  observeDelay(threadId: number, lateMs: Ms, periodMs: Ms): void;
  /** The watchdog's own lateness at one of its looks. */
  observeWatchdogDelay(lateMs: Ms): void;
  /** The stall that goes on, as far as it is known, or null while there is none. */
  stalled(threadId: number, stall: OngoingStall | null): void;
  /** A stall has ended. Sets the age to none. */
  stallClosed(threadId: number, durationMs: Ms, cause: Cause, culprit: Culprit | null): void;
  /** A worker thread has ended: its series go, those of the newest few after a while. */
  threadEnded(threadId: number): void;
  incident(cause: Cause): void;
  /** Commands of one kind that one cause made slow. */
  slowCommands(commands: CommandLabels, cause: Cause, count: number): void;
  /** Of one thread, from 0 to 1. */
  eventLoopUtilization(threadId: number, ratio: number): void;
  /** The total, as it stands. */
  watchdogCpu(totalMs: Ms): void;
  /** The parts of one command's latency. */
  blame(parts: Blame): void;
  commandsOpen(count: number): void;
  amqpHeartbeatsMissed(server: string, count: number): void;
  /** `reason` is a code, never a text of the broker. */
  amqpClosed(server: string, what: "connection" | "channel", reason: string): void;
  connectionOpened(connection: ConnectionLabels): void;
  /** One that was opened before. */
  connectionClosed(connection: ConnectionLabels): void;
  /** A slow command that its history was too short to judge. */
  commandUnjudged(): void;
  /** Control experiments begun so far. */
  experiments(total: number): void;
  /** Totals that are counted elsewhere, as they stand; never less than before. */
  ledgerDropped(total: number): void;
  gcTotals(totals: ReadonlyMap<GcKind, Ms>): void;
  internalErrors(totals: ReadonlyMap<string, number>): void;
  /** `count` more of what a limit refused, e.g. `log-line`. */
  dropped(what: string, count: number): void;
  agentInfo(info: AgentInfo): void;
  /** In the order of the catalogue; the same list at each call. */
  families(): readonly MetricFamily[];
}

export interface MetricFamily {
  readonly definition: MetricDefinition;
  /** The series as they stand; resets nothing. */
  read(): readonly SeriesReading[];
}

export interface SeriesReading {
  /** The same object at each reading. */
  readonly labels: Labels;
  /** A histogram's distribution, or the value of a counter or gauge. */
  readonly state: HistogramReading | number;
}

/** A counter or gauge. */
interface Cell {
  value: number;
}

const mainThread = 0;
const seconds = (durationMs: number): number => durationMs / 1000;

function createFamilies() {
  const cells = (key: MetricKey): SeriesSet<Cell> =>
    createSeriesSet(catalogue[key], () => ({ value: 0 }));
  const histograms = (key: MetricKey): SeriesSet<Histogram> => {
    const definition: MetricDefinition = catalogue[key];
    return createSeriesSet(definition, () => createHistogram(definition.buckets ?? []));
  };
  return {
    stalled: cells("stalled"),
    stallAge: cells("stallAge"),
    currentStall: cells("currentStall"),
    stalls: cells("stalls"),
    stalledSeconds: cells("stalledSeconds"),
    blockedSeconds: cells("blockedSeconds"),
    incidents: cells("incidents"),
    eventLoopDelay: histograms("eventLoopDelay"),
    commandDuration: histograms("commandDuration"),
    commandBlame: cells("commandBlame"),
    slowCommands: cells("slowCommands"),
    commandsOpen: cells("commandsOpen"),
    amqpHeartbeatsMissed: cells("amqpHeartbeatsMissed"),
    amqpClosed: cells("amqpClosed"),
    commandsUnjudged: cells("commandsUnjudged"),
    connections: cells("connections"),
    connectionsOpened: cells("connectionsOpened"),
    connectionsClosed: cells("connectionsClosed"),
    experiments: cells("experiments"),
    ledgerDropped: cells("ledgerDropped"),
    eventLoopUtilization: cells("eventLoopUtilization"),
    watchdogCpu: cells("watchdogCpu"),
    gcSeconds: cells("gcSeconds"),
    internalErrors: cells("internalErrors"),
    watchdogDelay: histograms("watchdogDelay"),
    agentInfo: cells("agentInfo"),
    dropped: cells("dropped"),
  } satisfies Record<MetricKey, SeriesSet<Cell> | SeriesSet<Histogram>>;
}

type Families = ReturnType<typeof createFamilies>;

export function createMetrics(): MetricsStore {
  const families = createFamilies();
  startAtZero(families);
  const list = listFamilies(families);
  return {
    commandMeter: (resolve) => createCommandMeter(families.commandDuration, resolve),
    observeDelay: (threadId, lateMs, periodMs) =>
      families.eventLoopDelay.at(`${threadId}`).observeEvery(seconds(lateMs), seconds(periodMs)),
    observeWatchdogDelay: (lateMs) => families.watchdogDelay.at().observe(seconds(lateMs)),
    stalled: (threadId, stall) => setStall(families, threadId, stall),
    stallClosed(threadId, durationMs, cause, culprit) {
      setStall(families, threadId, null);
      add(families.stalls.at(`${threadId}`, cause), 1);
      add(families.stalledSeconds.at(`${threadId}`, cause), seconds(durationMs));
      add(
        families.blockedSeconds.at(`${threadId}`, cause, ...blockedBy(culprit)),
        seconds(durationMs),
      );
    },
    threadEnded: createEndedThreads(families),
    slowCommands: ({ client, command, server }, cause, count) =>
      add(families.slowCommands.at(client, command, server, cause), count),
    eventLoopUtilization: (threadId, ratio) =>
      set(families.eventLoopUtilization.at(`${threadId}`), ratio),
    watchdogCpu: (totalMs) => raise(families.watchdogCpu.at(), seconds(totalMs)),
    incident: (cause) => add(families.incidents.at(cause), 1),
    blame(parts) {
      for (const [part, key] of blameParts) {
        add(families.commandBlame.at(part), seconds(parts[key]));
      }
    },
    amqpHeartbeatsMissed: (server, count) => add(families.amqpHeartbeatsMissed.at(server), count),
    amqpClosed: (server, what, reason) => add(families.amqpClosed.at(server, what, reason), 1),
    commandsOpen: (count) => set(families.commandsOpen.at(), count),
    connectionOpened({ client, server }) {
      add(families.connections.at(client, server), 1);
      add(families.connectionsOpened.at(client, server), 1);
      families.connectionsClosed.at(client, server);
    },
    connectionClosed({ client, server }) {
      const open = families.connections.at(client, server);
      set(open, open.value - 1);
      add(families.connectionsClosed.at(client, server), 1);
    },
    commandUnjudged: () => add(families.commandsUnjudged.at(), 1),
    experiments: (total) => raise(families.experiments.at(), total),
    ledgerDropped: (total) => raise(families.ledgerDropped.at(), total),
    gcTotals(totals) {
      for (const [kind, totalMs] of totals) raise(families.gcSeconds.at(kind), seconds(totalMs));
    },
    internalErrors(totals) {
      for (const [room, total] of totals) raise(families.internalErrors.at(room), total);
    },
    dropped: (what, count) => add(families.dropped.at(what), count),
    agentInfo: ({ version, node, platform, arch }) =>
      set(families.agentInfo.at(version, node, platform, arch), 1),
    families: () => list,
  };
}

const blameParts = [
  ["queue", "queueMs"],
  ["network", "networkMs"],
  ["server", "serverMs"],
  ["loop", "loopMs"],
  ["intended", "intendedMs"],
  ["unknown", "unknownMs"],
] as const satisfies readonly (readonly [string, keyof Blame])[];

/** A series that is not there until its first event hides that event from rate(). */
function startAtZero(families: Families): void {
  setStall(families, mainThread, null);
  families.watchdogCpu.at();
  families.eventLoopDelay.at(`${mainThread}`);
  families.watchdogDelay.at();
  families.commandsOpen.at();
  families.commandsUnjudged.at();
  families.experiments.at();
  families.ledgerDropped.at();
  for (const cause of causes) families.incidents.at(cause);
  for (const [part] of blameParts) families.commandBlame.at(part);
  for (const kind of gcKinds) families.gcSeconds.at(kind);
}

function setStall(families: Families, threadId: number, stall: OngoingStall | null): void {
  const thread = `${threadId}`;
  set(families.stalled.at(thread), stall === null ? 0 : 1);
  set(families.stallAge.at(thread), stall === null ? 0 : seconds(stall.ageMs));
  // What was known of it may have changed, and of none there is nothing to know.
  families.currentStall.drop("thread", thread);
  if (stall === null) return;
  const { cause, culprit, ageMs } = stall;
  set(families.currentStall.at(thread, cause, ...blockedBy(culprit)), seconds(ageMs));
}

/** A last scrape should find what a short-lived worker had to tell; hundreds of them would fill the page. */
const endedKept = 16;

function createEndedThreads(families: Families): (threadId: number) => void {
  const ended: number[] = [];
  const drop = (
    sets: readonly { drop(label: string, value: string): void }[],
    id: number,
  ): void => {
    for (const set of sets) set.drop("thread", `${id}`);
  };
  return (threadId) => {
    drop([families.stalled, families.stallAge], threadId);
    ended.push(threadId);
    for (const old of ended.splice(0, Math.max(0, ended.length - endedKept))) {
      drop(Object.values(families), old);
    }
  };
}

/** A counter that goes back reads as a restart of the process: less than nothing, and NaN, add nothing. */
function add(cell: Cell, amount: number): void {
  if (amount > 0) cell.value += amount;
}

function raise(cell: Cell, total: number): void {
  if (total > cell.value) cell.value = total;
}

function set(cell: Cell, value: number): void {
  if (!Number.isNaN(value)) cell.value = Math.max(0, value);
}

/** The label values of loophound_blocked_seconds_total; Prometheus takes an empty one as absent. */
function blockedBy(culprit: Culprit | null): readonly [string, string, string, string] {
  if (culprit === null) return ["", "", "", ""];
  const { module, symbol, syscall, site } = culprit;
  return [module ?? "", symbol ?? "", syscall ?? "", site === null ? "" : placeOf(site)];
}

const placeOf = ({ file, line }: Site): string => (line === null ? file : `${file}:${line}`);

function listFamilies(families: Families): readonly MetricFamily[] {
  return Object.entries(families).map(([key, set]) => ({
    definition: catalogue[key as MetricKey],
    read: () =>
      set.all().map(({ labels, state }) => ({
        labels,
        state: "value" in state ? state.value : state.read(),
      })),
  }));
}
