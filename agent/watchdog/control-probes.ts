// Decides when a control experiment is made, and keeps what they found. Watchdog thread, one for the
// process: a server sees at most one connection and one question a second from it while somebody waits
// too long for that server, and nothing otherwise.

import type { Experiment, ProbeTarget } from "../model/experiment";
import { type Ms, ms } from "../model/units";
import type { RunningExperiment } from "./control-probe";

/** From the beginning of one experiment on a server to the next. */
const pauseMs = 1000;
/** Experiments under way at once: a cluster in trouble is not asked node by node in one moment. */
const runningMax = 8;
/** The last quarter of a minute under suspicion. */
const keptPerServer = 16;
const serversMax = 256;

export interface ControlProbes {
  /** Somebody waits for that server longer than usual: asks it, if it was not asked just now. */
  suspect(server: string, target: ProbeTarget, nowMs: Ms): void;
  /** At the end of each look: began at `atMs`, ended at `endMs`, the next one is due at `dueMs`. */
  looked(atMs: Ms, endMs: Ms, dueMs: Ms): void;
  /** What is known of one server in that time, oldest first; running experiments as far as they are. */
  about(server: string, startMs: Ms, endMs: Ms): readonly Experiment[];
  /** The same of all servers. */
  during(startMs: Ms, endMs: Ms): readonly Experiment[];
  /** Experiments begun so far. */
  startedCount(): number;
  stop(): void;
}

/** Begins one; see control-probe. */
export type StartExperiment = (target: ProbeTarget, server: string) => RunningExperiment;

/** For LOOPHOUND_PROBE=off. */
export const noProbes: ControlProbes = {
  suspect: () => undefined,
  looked: () => undefined,
  about: () => [],
  during: () => [],
  startedCount: () => 0,
  stop: () => undefined,
};

export function createControlProbes(start: StartExperiment): ControlProbes {
  const byServer = new Map<string, readonly RunningExperiment[]>();
  let started = 0;
  let dueMs: Ms | null = null;

  const all = (): readonly RunningExperiment[] => [...byServer.values()].flat();
  const running = (): number => all().filter(isRunning).length;

  function mayStart(server: string, nowMs: Ms): boolean {
    const newest = byServer.get(server)?.at(-1)?.view();
    if (newest === undefined) return running() < runningMax;
    const isOver = newest.endedMs !== null && nowMs - newest.startedMs >= pauseMs;
    return isOver && running() < runningMax;
  }

  return {
    suspect(server, target, nowMs) {
      if (!mayStart(server, nowMs)) return;
      const before = byServer.get(server) ?? [];
      byServer.delete(server);
      byServer.set(server, [...before.slice(1 - keptPerServer), start(target, server)]);
      started++;
      const [oldest] = byServer;
      if (byServer.size > serversMax && oldest !== undefined) {
        byServer.delete(oldest[0]);
        for (const one of oldest[1]) one.stop();
      }
    },
    looked(atMs, endMs, nextDueMs) {
      const keptSinceMs = Math.min(dueMs ?? atMs, atMs);
      dueMs = nextDueMs;
      // The look itself keeps the experiments waiting too.
      const lateMs = ms(endMs - keptSinceMs);

      for (const one of byServer.size === 0 ? [] : all()) {
        const { startedMs, endedMs } = one.view();
        if (startedMs < endMs && (endedMs ?? endMs) >= keptSinceMs) one.keptFrom(lateMs);
      }
    },
    about: (server, startMs, endMs) => within(byServer.get(server) ?? [], startMs, endMs),
    during: (startMs, endMs) => within(all(), startMs, endMs),
    startedCount: () => started,
    stop() {
      for (const one of all()) one.stop();
    },
  };
}

function within(experiments: readonly RunningExperiment[], startMs: Ms, endMs: Ms) {
  const views = experiments.map((one) => one.view());
  return views.filter((one) => one.startedMs < endMs && (one.endedMs ?? endMs) > startMs);
}

const isRunning = (one: RunningExperiment): boolean => one.view().endedMs === null;
