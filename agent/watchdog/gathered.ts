// Several incidents of one kind as one line: the longest of them told in full, and the rest by their
// number, their stalls and the commands that paid. Pure; watchdog thread.

import type { ChargedCommand, Incident, StallTimes } from "../model/incident";
import type { Ms } from "../model/units";

/** The contract's limit. */
const stallsMax = 64;
/** As many kinds of commands as any one application sends to a few servers. */
const commandsMax = 64;

export interface Gathered {
  readonly sinceMs: Ms;
  /** id, start, length, culprit and evidence are this one's. */
  readonly longest: Incident;
  readonly repeats: number;
  readonly stalls: readonly StallTimes[];
  readonly commands: readonly ChargedCommand[];
}

/** `incident` is added to `before`; null: it is the first. */
export function gather(before: Gathered | null, incident: Incident, nowMs: Ms): Gathered {
  if (before === null) {
    const { repeats, stalls, commands } = incident;
    return { sinceMs: nowMs, longest: incident, repeats, stalls, commands };
  }
  return {
    sinceMs: before.sinceMs,
    longest: incident.durationMs > before.longest.durationMs ? incident : before.longest,
    repeats: before.repeats + incident.repeats,
    stalls: longestStalls([...before.stalls, ...incident.stalls]),
    commands: mergeCommands([...before.commands, ...incident.commands]),
  };
}

/** The line in the log. */
export const asIncident = ({ longest, repeats, stalls, commands }: Gathered): Incident => ({
  ...longest,
  repeats,
  stalls,
  commands,
});

/** In order of time; where there are too many, the shortest are left out. */
function longestStalls(stalls: readonly StallTimes[]): readonly StallTimes[] {
  const byLength = [...stalls].sort((a, b) => b.durationMs - a.durationMs);
  return byLength.slice(0, stallsMax).sort((a, b) => a.startEpochMs - b.startEpochMs);
}

/** By client, command and server: counts are added, the slowest one's blame stays; dearest first. */
export function mergeCommands(commands: readonly ChargedCommand[]): readonly ChargedCommand[] {
  const merged = new Map<string, ChargedCommand>();
  for (const command of commands) {
    const key = JSON.stringify([command.client, command.command, command.host, command.port]);
    const before = merged.get(key);
    const slower = before !== undefined && before.maxMs >= command.maxMs ? before : command;
    merged.set(key, { ...slower, count: (before?.count ?? 0) + command.count });
  }
  const dearestFirst = [...merged.values()].sort(
    (a, b) => b.blame.loopMs - a.blame.loopMs || b.maxMs - a.maxMs,
  );
  return dearestFirst.slice(0, commandsMax);
}
