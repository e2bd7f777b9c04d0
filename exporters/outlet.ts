// What every outlet of incidents has in common. Outlets live in the watchdog thread.

import type { Incident } from "../agent/model/incident";

export interface Outlet {
  /** Passes one incident on, or drops and counts it. Never throws, never waits. */
  publish(incident: Incident): void;
  /** Says what is left to say and lets go of its resources; nothing is published after it. */
  stop(): void;
}
