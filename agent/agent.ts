// What an agent is to whoever started it, in the main thread and in a worker thread; and the mark by
// which it is found again.

import type { Config } from "./model/config";
import type { Incident } from "./model/incident";

export interface Agent {
  readonly config: Config;
  onIncident(listener: (incident: Incident) => void): () => void;
  /** See `instrument` of the public API. */
  instrument(client: object): boolean;
  /**
   * Ends the heartbeat and the hooks of this thread, and in the main thread the watchdog, for all
   * threads; the application runs on as if never watched.
   */
  stop(): void;
}

/** One agent a thread, whichever copy of the package comes first. */
const mark = Symbol.for("loophound.agent");

/** The agent of this thread; `make` is called if there is none yet, and may decline. */
export function agentOfThread(make: () => Agent | null): Agent | null {
  const running = (globalThis as Record<symbol, unknown>)[mark] as Agent | undefined;
  if (running !== undefined) return running;
  const made = make();
  if (made === null) return null;
  const stop = (): void => {
    made.stop();
    delete (globalThis as Record<symbol, unknown>)[mark];
  };
  const agent = { ...made, stop };
  Object.defineProperty(globalThis, mark, { value: agent, configurable: true });
  return agent;
}
