// What the main thread leaves for the worker threads that the application starts: settings, and the
// signals of the process. Environment data goes to every worker that is started from then on, and to
// theirs, before their preloads run. Application threads.

import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import type { WorkerBriefing } from "./model/wire";

const key = "loophound";

/** null takes it back. */
export function leaveBriefing(briefing: WorkerBriefing | null): void {
  // Typed as text, but anything that can be cloned goes; undefined removes it.
  setEnvironmentData(key, (briefing ?? undefined) as unknown as string);
}

/** null: no agent watches this process's workers. */
export const readBriefing = (): WorkerBriefing | null =>
  (getEnvironmentData(key) as unknown as WorkerBriefing | undefined) ?? null;
