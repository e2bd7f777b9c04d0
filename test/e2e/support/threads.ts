// The threads of a watched application, as /healthz and the log show them.

import type { Incident } from "../../../agent/model/incident";
import type { ThreadHealth } from "../../../exporters/routes";
import { askHealth, eventually } from "./page";
import { blamingTheApp, type WatchedApp } from "./watched-app";

/** Enough to be an incident (50 ms), whatever is lost at its edges. */
export const seenMs = 150;

export const threadsOf = async ({ port }: WatchedApp): Promise<readonly ThreadHealth[]> =>
  (await askHealth(port)).threads;

export const thread = (one: WatchedApp, id: number, fits: (health: ThreadHealth) => boolean) =>
  eventually(
    async () =>
      (await threadsOf(one)).find((health) => health.threadId === id && fits(health)) ?? null,
    `thread ${id} as it should be on /healthz`,
  );

export const stalled = (one: WatchedApp, id: number) =>
  thread(one, id, ({ stalledForMs }) => stalledForMs >= seenMs);

export const blamingWorkers = ({ app }: WatchedApp): readonly Incident[] =>
  blamingTheApp(app.incidents()).filter(({ threadId }) => threadId !== 0);

/** An `unknown` accuses nobody: a machine this busy leaves a loop late, and its watchdog too. */
export const blamingMain = ({ app }: WatchedApp): readonly Incident[] =>
  blamingTheApp(app.incidents()).filter(
    ({ threadId, cause }) => threadId === 0 && cause !== "unknown",
  );
