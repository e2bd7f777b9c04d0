// The heartbeat of one thread of the application, main or worker, with what wakes it from its slow
// pace: the watchdog, or the first request to a server. Application threads.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { performance } from "node:perf_hooks";
import { nowMs } from "./base/clock";
import { guard } from "./base/guard";
import { flagCells, hasFlag, threadFlag } from "./base/thread-flags";
import { ms } from "./model/units";
import { createHeartbeat, type Heartbeat } from "./pulse/heartbeat";
import type { ThreadMemory } from "./thread-memory";

export interface PulseOptions {
  readonly memory: ThreadMemory;
  /** Work has come to an idle loop: the watchdog should know. */
  readonly onWork: () => void;
  /** At each beat; a throw is caught. */
  readonly onBeat?: () => void;
}

export function createPulse({ memory, onWork, onBeat }: PulseOptions): Heartbeat {
  const flags = flagCells(memory.flags);
  const heartbeat = createHeartbeat({
    cell: memory.beat,
    nowMs,
    idleMs: () => ms(performance.nodeTiming.idleTime),
    canBeSlow: () => hasFlag(flags, threadFlag.idleProof),
    onPace: (isSlow) => wakeOnRequests(isSlow, requestCame),
    ...(onBeat === undefined ? {} : { onBeat: () => guard("pulse", onBeat, undefined) }),
  });
  const requestCame = (): void => {
    guard("wake", () => heartbeat.beatFast(), undefined);
    onWork();
  };
  return heartbeat;
}

/**
 * While the loop is idle, both threads are slow; the first request wakes them. Node announces each
 * (diagnostics_channel, `http.server.request.start`), at a price that only an idle server pays.
 */
function wakeOnRequests(isOn: boolean, listener: () => void): void {
  const channel = "http.server.request.start";
  if (isOn) subscribe(channel, listener);
  else unsubscribe(channel, listener);
}
