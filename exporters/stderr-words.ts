// Incidents on stderr, in words, no more of them than a person reads. Watchdog thread.

import type { Stderr } from "../agent/base/diag";
import { guard } from "../agent/base/guard";
import { createLimiter } from "../agent/base/limiter";
import { type Ms, ms } from "../agent/model/units";
import type { Outlet } from "./outlet";
import { inWords } from "./words";

export interface StderrWordsOptions {
  readonly stderr: Stderr;
  readonly nowMs: () => Ms;
  /** Called with the number of incidents that were not shown. */
  readonly onDropped: (count: number) => void;
}

/** The log is for completeness; stderr is for being noticed, and must not drown the application's own words. */
const blocksPerMinute = 10;
/** Kept apart: a process that may never come back is told of also at the end of a storm. */
const openBlocksPerMinute = 4;
const minuteMs = ms(60_000);

export function createStderrWords({ stderr, nowMs, onDropped }: StderrWordsOptions): Outlet {
  const closed = createLimiter(blocksPerMinute, minuteMs);
  const open = createLimiter(openBlocksPerMinute, minuteMs);
  let hidden = 0;

  function hide(): void {
    if (hidden === 0) {
      stderr.write("loophound: many incidents; not all are shown here (/incidents has them)\n");
    }
    hidden += 1;
    onDropped(1);
  }

  function tellHidden(): void {
    if (hidden > 0) stderr.write(`loophound: ${hidden} more not shown\n`);
    hidden = 0;
  }

  return {
    publish: (incident) =>
      guard(
        "stderr-words",
        () => {
          const limiter = incident.state === "open" ? open : closed;
          if (!limiter.take(nowMs())) return hide();
          tellHidden();
          if (!stderr.write(inWords(incident))) onDropped(1);
        },
        undefined,
      ),
    stop: () => guard("stderr-words", tellHidden, undefined),
  };
}
