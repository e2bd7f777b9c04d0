// What an agent is to whoever started it, in the main thread and in a worker thread.

import type { Config } from "./model/config";
import type { Incident } from "./model/incident";

export interface Agent {
  readonly config: Config;
  onIncident(listener: (incident: Incident) => void): () => void;
  /**
   * Ends the heartbeat and the hooks of this thread, and in the main thread the watchdog, for all
   * threads; the application runs on as if never watched.
   */
  stop(): void;
}
