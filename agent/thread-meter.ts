// Feeds the metrics of one watched thread from its shared memory and from what the watch finds.

import type { LiveFeed } from "../exporters/live/live-feed";
import type { MetricsStore, OngoingStall } from "../exporters/metrics-store";
import { type Beat, beatReader } from "./base/beat-cell";
import { gcReader } from "./base/gc-cell";
import type { LedgerEntry } from "./base/ledger-reader";
import { droppedCount } from "./base/ledger-reader";
import { missedHeartbeats } from "./diagnose/amqp-heartbeat";
import { durationMs } from "./diagnose/rule";
import type { Interval, StallEvidence } from "./model/evidence";
import type { GcKind } from "./model/gc";
import type { Incident } from "./model/incident";
import { type Ms, ms } from "./model/units";
import type { WatchedThread } from "./model/wire";
import { type Directory, serverLabel } from "./watchdog/directory";

export interface ThreadMeter {
  onSettled(entry: LedgerEntry): void;
  /** The loop turns again: what it held up settles now. */
  stallEnded(stall: Interval): void;
  /** The stall has been judged. */
  onStall(incident: Incident): void;
  /** A stall that has ended: the AMQP heartbeats that were not sent in it. */
  onHeartbeats(evidence: StallEvidence): void;
  /** At each look. */
  onLook(): void;
  /** A slow command that no stall explains has been judged. */
  onSlow(incident: Incident): void;
  /** Before the metrics are read; null while there is no stall. */
  refresh(stall: OngoingStall | null): void;
  totals(): ThreadTotals;
}

/** Since the thread began. */
export interface ThreadTotals {
  readonly ledgerDropped: number;
  readonly gc: ReadonlyMap<GcKind, Ms>;
}

export interface MeterOptions {
  readonly metrics: MetricsStore;
  readonly live: LiveFeed;
  readonly directory: Directory;
  readonly thread: WatchedThread;
}

export function meterThread({ metrics, live, directory, thread }: MeterOptions): ThreadMeter {
  const beats = beatReader(thread.beat);
  const gc = gcReader(thread.gc);
  const dropped = droppedCount(thread.ledger);
  const meter = metrics.commandMeter((entry) => directory.labels(entry));
  const traffic = live.traffic.meter((entry) => directory.labels(entry)?.server ?? null);
  const stalls = createRecentStalls();
  const utilization = createUtilization();
  let lastBeatMs: number | null = null;
  let lastCount = 0;

  /** Beats between two looks were on time, or the newest would not be there; it tells its own lateness. */
  function observeBeats(): void {
    const beat = beats.read();
    if (beat === null || beat.count === lastCount) return;
    const isNext = beat.count === lastCount + 1 && lastBeatMs !== null;
    const lateMs = isNext ? beat.atMs - (lastBeatMs ?? 0) - beat.periodMs : 0;
    metrics.observeDelay(thread.threadId, ms(Math.max(0, lateMs)), beat.periodMs);
    lastBeatMs = beat.atMs;
    lastCount = beat.count;
  }

  return {
    onSettled(entry) {
      const { calledMs, repliedMs } = entry;
      if (repliedMs === null) return;
      meter.observe(entry, ms(repliedMs - calledMs));
      traffic(entry, stalls.overlapMs(calledMs, repliedMs));
    },
    stallEnded: stalls.add,
    onStall(incident) {
      live.stall(incident);
      metrics.stallClosed(
        thread.threadId,
        ms(incident.durationMs),
        incident.cause,
        incident.culprit,
      );
      for (const { blame } of incident.commands) metrics.blame(blame);
      countSlow(metrics, incident);
    },
    onSlow: (incident) => countSlow(metrics, incident),
    onHeartbeats(evidence) {
      for (const exposure of evidence.heartbeats ?? []) {
        const missed = missedHeartbeats(durationMs(evidence), exposure.heartbeatMs);
        metrics.amqpHeartbeatsMissed(serverLabel(exposure), missed * exposure.connections);
      }
    },
    onLook() {
      observeBeats();
      utilization.note(beats.read());
    },
    refresh(stall) {
      metrics.stalled(thread.threadId, stall);
      const ratio = utilization.ratio();
      if (ratio !== null) metrics.eventLoopUtilization(thread.threadId, ratio);
    },
    totals: () => ({ ledgerDropped: dropped(), gc: gc.totals() }),
  };
}

function countSlow(metrics: MetricsStore, { commands, cause }: Incident): void {
  for (const charged of commands) {
    const { client, command, count } = charged;
    metrics.slowCommands({ client, command, server: serverLabel(charged) }, cause, count);
  }
}

const utilizationWindowMs = 10_000;

/** How busy the loop was, by the idle time that its beats tell of. */
function createUtilization() {
  let from: Beat | null = null;
  let ratio: number | null = null;
  return {
    note(beat: Beat | null): void {
      if (beat === null) return;
      const sinceMs = beat.atMs - (from?.atMs ?? 0);
      if (from !== null && sinceMs < utilizationWindowMs) return;
      if (from !== null) ratio = Math.max(0, 1 - (beat.idleMs - from.idleMs) / sinceMs);
      from = beat;
    },
    /** null in the first ten seconds. */
    ratio: (): number | null => ratio,
  };
}

/** More stalls than this within one command's time are a storm, and the first of them hardly count. */
const stallsKept = 16;
/** The loop needs a moment to read the replies that waited; that is the stall's doing too. */
const catchUpMs = 40;

/** The last stalls, to say how much of a command's time they took. */
function createRecentStalls() {
  let kept: readonly Interval[] = [];
  return {
    add(stall: Interval): void {
      kept = [...kept.slice(1 - stallsKept), stall];
    },
    /** Costs a comparison for a command that began after the last stall. */
    overlapMs(fromMs: number, toMs: number): number {
      const last = kept.at(-1);
      if (last === undefined || fromMs >= last.endMs) return 0;
      return kept.reduce((sum, { startMs, endMs }) => {
        const untilMs = toMs <= endMs + catchUpMs ? toMs : endMs;
        return sum + Math.max(0, untilMs - Math.max(fromMs, startMs));
      }, 0);
    },
  };
}
