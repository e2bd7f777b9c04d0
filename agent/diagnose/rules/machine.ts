// Not the application's doing: garbage collection, no CPU to run on, memory on disk, a stopped process.

import type { Evidence } from "../../model/incident";
import { durationMs, type Match, overlapMs, type Rule, roundMs, shareOf } from "../rule";

export const gc: Rule = (evidence) => {
  const spentMs = evidence.gc.reduce(
    (sum, entry) => sum + overlapMs(entry.startMs, entry.startMs + entry.durationMs, evidence),
    0,
  );
  if (spentMs === 0) return null;
  return plain("gc", shareOf(spentMs, evidence), 0.97, {
    kind: "gc",
    says: `garbage collection took ${roundMs(spentMs)} ms of it, in ${evidence.gc.length} collection${evidence.gc.length === 1 ? "" : "s"}`,
    spentMs: roundMs(spentMs),
    collections: evidence.gc.length,
  });
};

/**
 * schedstat tells how long the thread was runnable without running. The figures span the time between two looks,
 * which may reach beyond the stall: only the wait that does not fit into the rest of it is surely the stall's.
 */
export const cpuStarved: Rule = (evidence) => {
  const waitedMs = evidence.runQueueMs;
  if (waitedMs === null || waitedMs === 0) return null;
  const outsideMs = Math.max(0, evidence.measuredMs - durationMs(evidence));
  const surelyMs = Math.max(0, waitedMs - outsideMs);
  const throttled = evidence.throttledMs !== null && evidence.throttledMs > 0;
  return plain("cpu-starved", shareOf(surelyMs, evidence), 0.95, {
    kind: "run-queue-wait",
    says: `the thread was ready to run and got no CPU for ${roundMs(waitedMs)} ms of the ${roundMs(evidence.measuredMs)} ms measured${throttled ? `; the cgroup was throttled for ${roundMs(evidence.throttledMs ?? 0)} ms` : ""}`,
    runQueueMs: roundMs(waitedMs),
    throttledMs: evidence.throttledMs === null ? null : roundMs(evidence.throttledMs),
  });
};

/**
 * Asleep without a system call of its own choosing, state D, with faults that went to disk. A read or an fsync of a
 * slow disk is in state D as well: that wait is the call's, whatever faults there were beside it.
 */
export const pageFault: Rule = (evidence) => {
  if (evidence.majorFaults === null || evidence.majorFaults === 0) return null;
  const waitedMs = evidence.sightings
    .filter((sighting) => sighting.state === "D" && sighting.call === null)
    .reduce((sum, sighting) => sum + sighting.weightMs, 0);
  if (waitedMs === 0) return null;
  return plain("page-fault", shareOf(waitedMs, evidence), 0.9, {
    kind: "major-faults",
    says: `${evidence.majorFaults} page faults went to disk while the thread waited for ${roundMs(waitedMs)} ms`,
    majorFaults: evidence.majorFaults,
  });
};

/** Both threads lost the same time, and nobody was waiting for a CPU: what either waited for one is no stop. */
export const processStopped: Rule = (evidence) => {
  const lostMs = evidence.lost.reduce(
    (sum, { startMs, endMs, waitedMs }) =>
      sum + Math.max(0, overlapMs(startMs, endMs, evidence) - waitedMs),
    0,
  );
  const ownMs = lostMs - (evidence.runQueueMs ?? 0) - (evidence.onCpuMs ?? 0);
  if (ownMs <= 0) return null;
  return plain("process-stopped", shareOf(ownMs, evidence), 0.9, {
    kind: "both-threads-stopped",
    says: `the watchdog thread lost ${roundMs(lostMs)} ms of the same time without waiting for a CPU: the whole process stood still (signal, debugger or suspended machine)`,
    lostMs: roundMs(lostMs),
  });
};

function plain(cause: Match["cause"], share: number, certainty: number, evidence: Evidence): Match {
  return { cause, share, certainty, culprit: null, evidence: [evidence] };
}
