// Feeds the metrics of one watched thread from its shared memory and from what the watch finds.

import type { MetricsStore } from "../exporters/metrics-store";
import { beatReader } from "./base/beat-cell";
import { gcReader } from "./base/gc-cell";
import type { LedgerEntry } from "./base/ledger-reader";
import { droppedCount } from "./base/ledger-reader";
import { missedHeartbeats } from "./diagnose/amqp-heartbeat";
import { durationMs } from "./diagnose/rule";
import type { StallEvidence } from "./model/evidence";
import type { GcKind } from "./model/gc";
import type { Incident } from "./model/incident";
import { type Ms, ms } from "./model/units";
import type { WatchedThread } from "./model/wire";
import { type Directory, serverLabel } from "./watchdog/directory";

export interface ThreadMeter {
  onSettled(entry: LedgerEntry): void;
  onStall(incident: Incident): void;
  /** A stall that has ended: the AMQP heartbeats that were not sent in it. */
  onHeartbeats(evidence: StallEvidence): void;
  /** At each look. */
  onLook(): void;
  /** Before the metrics are read; `stallAgeMs` is null while there is no stall. */
  refresh(stallAgeMs: Ms | null): void;
  totals(): ThreadTotals;
}

/** Since the thread began. */
export interface ThreadTotals {
  readonly ledgerDropped: number;
  readonly gc: ReadonlyMap<GcKind, Ms>;
}

export interface MeterOptions {
  readonly metrics: MetricsStore;
  readonly directory: Directory;
  readonly thread: WatchedThread;
}

export function meterThread({ metrics, directory, thread }: MeterOptions): ThreadMeter {
  const beats = beatReader(thread.beat);
  const gc = gcReader(thread.gc);
  const dropped = droppedCount(thread.ledger);
  const meter = metrics.commandMeter((entry) => directory.labels(entry));
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
      if (entry.repliedMs !== null) meter.observe(entry, ms(entry.repliedMs - entry.calledMs));
    },
    onStall(incident) {
      metrics.stallClosed(
        thread.threadId,
        ms(incident.durationMs),
        incident.cause,
        incident.culprit,
      );
      for (const { blame } of incident.commands) metrics.blame(blame);
    },
    onHeartbeats(evidence) {
      for (const exposure of evidence.heartbeats ?? []) {
        const missed = missedHeartbeats(durationMs(evidence), exposure.heartbeatMs);
        metrics.amqpHeartbeatsMissed(serverLabel(exposure), missed * exposure.connections);
      }
    },
    onLook: observeBeats,
    refresh: (stallAgeMs) => metrics.stallAge(thread.threadId, stallAgeMs),
    totals: () => ({ ledgerDropped: dropped(), gc: gc.totals() }),
  };
}
