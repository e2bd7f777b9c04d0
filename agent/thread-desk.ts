// Everything that the watchdog keeps of one thread: its watch, its names, its figures, and what
// becomes of the stalls that the watch finds. Watchdog thread.

import type { LiveFeed } from "../exporters/live/live-feed";
import type { ConnectionLabels, MetricsStore, OngoingStall } from "../exporters/metrics-store";
import type { ThreadHealth } from "../exporters/routes";
import { culpritInWords } from "../exporters/words";
import { nowMs } from "./base/clock";
import { askForBeats, flagCells, hasFlag, threadFlag } from "./base/thread-flags";
import { type ConnectionMeter, meterConnections } from "./connection-meter";
import { judge } from "./diagnose/verdict";
import { isWorthTelling } from "./diagnose/worth-telling";
import type { StallEvidence } from "./model/evidence";
import type { Incident } from "./model/incident";
import { type Ms, ms } from "./model/units";
import type { ThreadHandover, ToWatchdog, WatchedThread } from "./model/wire";
import { meterThread, type ThreadMeter, type ThreadTotals } from "./thread-meter";
import type { Activity } from "./watchdog/activity";
import { type AssembleOptions, assembleWatch } from "./watchdog/assemble-watch";
import type { CommandWatch } from "./watchdog/command-watch";
import { createDirectory, type Directory, serverLabel } from "./watchdog/directory";
import type { IncidentMaker } from "./watchdog/incident-maker";
import type { WatchEvent } from "./watchdog/thread-watch";

const mainThreadId = 0;

/** What all desks share. */
export interface DeskOptions extends Omit<AssembleOptions, "thread" | "directory" | "onSettled"> {
  readonly metrics: MetricsStore;
  readonly live: LiveFeed;
  readonly maker: IncidentMaker;
  readonly activity: Activity;
  readonly add: (incident: Incident) => void;
}

export interface ThreadDesk {
  readonly threadId: number;
  /** One look at the thread, and all that follows from it; returns how long it may be until the next. */
  look(atMs: Ms): Ms;
  /** True once the thread has ended, or is about to. */
  isOver(): boolean;
  /** Its loop does not look idle, yet beats slowly: it should beat fast. */
  wantsFastBeats(): boolean;
  /** A worker thread hears this without a message; the main thread is sent one. */
  askForBeats(): void;
  /** A name for a number in its memory. */
  hear(message: ToWatchdog): void;
  health(): ThreadHealth;
  /** Brings the metrics up to now; returns how many commands are open. */
  refresh(): number;
  totals(): ThreadTotals;
  /** The thread has ended: tells what is left to tell, and gives back what was held open. */
  end(atMs: Ms): void;
}

export function openDesk(handover: ThreadHandover, options: DeskOptions): ThreadDesk {
  const { thread } = handover;
  const { threadId } = thread;
  const { metrics, live, maker, activity } = options;
  const flags = flagCells(thread.flags);
  const directory = createDirectory(
    handover.commandNames,
    handover.connections,
    handover.nativeFunctions,
  );
  const connections = meterConnections(tellingActivity(options), handover.connections);
  const meter = meterThread({ metrics, live, directory, thread });
  const { watch, commands, witness, close } = assembleWatch({
    ...options,
    thread,
    directory,
    onSettled(entry) {
      meter.onSettled(entry);
      if (entry.state === "flushed") activity.commandGivenUp(entry.repliedMs ?? nowMs());
    },
  });
  const react = createReactions(thread, { ...options, meter, commands });

  return {
    threadId,
    look(atMs) {
      for (const event of watch.look(atMs)) react(event);
      meter.onLook();
      commands.poll(watch.current() === null, atMs);
      activity.commandsOpen(commands.openCount(), atMs);
      for (const slow of commands.takeSlow(atMs)) {
        const incident = maker.fromSlowEpisode(slow, threadId);
        if (incident.state === "closed") meter.onSlow(incident);
        options.add(incident);
      }
      Atomics.store(flags, threadFlag.idleProof, witness.canProveSleep() ? 1 : 0);
      return watch.nextLookMs(atMs);
    },
    isOver: () => watch.isGone() || hasFlag(flags, threadFlag.ended),
    wantsFastBeats: watch.wantsFastBeats,
    askForBeats: () => askForBeats(flags),
    hear: (message) => hear({ directory, metrics, connections }, message),
    health: () => healthOf(threadId, watch.preview(nowMs()), nowMs()),
    refresh() {
      commands.poll(watch.current() === null, nowMs());
      meter.refresh(ongoingStall(watch.preview(nowMs()), nowMs()));
      return commands.openCount();
    },
    totals: meter.totals,
    end(atMs) {
      for (const event of watch.end(atMs)) react(event);
      commands.poll(true, atMs);
      connections.end();
      close();
    },
  };
}

interface ReactionParts extends Pick<DeskOptions, "config" | "maker" | "add"> {
  readonly meter: ThreadMeter;
  readonly commands: CommandWatch;
}

/** What becomes of the stalls of one thread: figures for all of them, incidents for some. */
function createReactions(
  { threadId, flags }: WatchedThread,
  { config, maker, add, meter, commands }: ReactionParts,
): (event: WatchEvent) => void {
  const isMain = threadId === mainThreadId;
  const cells = flagCells(flags);
  const watchedSinceMs = nowMs();
  let toldOpenId = 0;

  const worthTelling = (incident: Incident, isCutShort: boolean): boolean =>
    isWorthTelling(incident, { isMain, serves: hasFlag(cells, threadFlag.serves), isCutShort });

  function closed(evidence: StallEvidence): void {
    const incident = maker.fromStall(evidence, "closed");
    const isTold = evidence.stall.id === toldOpenId || worthTelling(incident, evidence.isCutShort);
    if (evidence.isCutShort && !isTold) return;
    meter.onStall(incident);
    meter.onHeartbeats(evidence);
    // What passed before the watchdog was there is counted, but nothing can be said of it.
    const { startMs, endMs } = evidence.stall;
    const watchedMs = (endMs ?? nowMs()) - Math.max(startMs, watchedSinceMs);
    if (isTold && watchedMs >= config.incidentMs) add(incident);
  }

  function ongoing(evidence: StallEvidence): void {
    const incident = maker.fromStall(evidence, "open");
    if (!worthTelling(incident, false)) return;
    toldOpenId = evidence.stall.id;
    add(incident);
  }

  return (event) => {
    if (event.kind === "stall-ongoing") ongoing(event.evidence);
    else if (event.kind === "stall-closed") closed(event.evidence);
    else if (event.kind === "stall-ended") {
      const { startMs, endMs } = event.stall;
      const stall = { startMs, endMs: endMs ?? startMs };
      commands.stallEnded(stall);
      meter.stallEnded(stall);
    }
  };
}

function tellingActivity({ metrics, activity }: DeskOptions) {
  return {
    connectionOpened(labels: ConnectionLabels): void {
      metrics.connectionOpened(labels);
      activity.connectionOpened(labels.server, nowMs());
    },
    connectionClosed(labels: ConnectionLabels): void {
      metrics.connectionClosed(labels);
      activity.connectionClosed(nowMs());
    },
  };
}

interface Hearers {
  readonly directory: Directory;
  readonly metrics: MetricsStore;
  readonly connections: ConnectionMeter;
}

function hear({ directory, metrics, connections }: Hearers, message: ToWatchdog): void {
  if (message.kind === "command-name") directory.addName(message.id, message.name);
  else if (message.kind === "connection") {
    directory.addConnection(message.connection);
    connections.opened(message.connection);
  } else if (message.kind === "connection-blocked") {
    directory.amqp.blocked(message.id, message.isBlocked, ms(message.atMs));
  } else if (message.kind === "channel-closed") {
    const server = serverLabel(directory.connection(message.id));
    metrics.amqpClosed(server, "channel", message.reason);
  } else if (message.kind === "connection-closed") {
    const { id, atMs, reason } = message;
    const server = serverLabel(directory.connection(id));
    if (reason !== undefined) metrics.amqpClosed(server, "connection", reason ?? "none");
    directory.closeConnection(id, ms(atMs), reason ?? null);
    connections.closed(id);
  } else if (message.kind === "native-function") {
    const { id, module, name } = message;
    directory.nativeFunctions.add(id, { module, function: name });
  }
}

function ongoingStall(ongoing: StallEvidence | null, atMs: Ms): OngoingStall | null {
  if (ongoing === null) return null;
  const { cause, culprit } = judge(ongoing);
  return { ageMs: ms(atMs - ongoing.stall.startMs), cause, culprit };
}

function healthOf(threadId: number, ongoing: StallEvidence | null, atMs: Ms): ThreadHealth {
  const stall = ongoingStall(ongoing, atMs);
  if (stall === null) {
    return { threadId, status: "ok", stalledForMs: 0, cause: null, culprit: null };
  }
  const { ageMs, cause, culprit } = stall;
  return {
    threadId,
    status: "stalled",
    stalledForMs: Math.round(ageMs),
    cause,
    culprit: culprit === null ? null : culpritInWords(culprit),
  };
}
