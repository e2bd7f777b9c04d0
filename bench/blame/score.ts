// What the agent said in one scenario, beside what was true. Pure.

import type { Cause } from "../../agent/model/cause";
import type { Blame, Incident } from "../../agent/model/incident";

export interface Truth {
  readonly cause: Cause | null;
  readonly part: keyof Blame | null;
  readonly lengthMs: number;
}

export interface Score {
  readonly isRight: boolean;
  /** What the agent said of the fault: the cause of its longest incident, or "nothing". */
  readonly said: Cause | "nothing";
  /** Causes that accuse somebody who had no part in it. */
  readonly falselyAccused: readonly Cause[];
  /** Of the longest command's part, against the fault's length; null where it is not judged. */
  readonly partErrorMs: number | null;
  readonly isPartRight: boolean | null;
  readonly areSumsExact: boolean;
}

/** The machine's own faults: true on a busy one, and accusing nobody here. */
const machine: readonly Cause[] = ["cpu-starved", "page-fault", "process-stopped", "gc", "unknown"];
/** The application's own start and work: nothing that these scenarios are about. */
const application: readonly Cause[] = ["js-cpu", "module-load"];

const withinShare = 0.1;
const withinMs = 5;

/** `spacingMs`: how far apart commands are called, and so how much of a fault none may have met. */
export function scoreOf(truth: Truth, incidents: readonly Incident[], spacingMs: number): Score {
  const accusing = incidents.filter(({ cause }) => ![...machine, ...application].includes(cause));
  const right = accusing.filter(({ cause }) => cause === truth.cause);
  const wrong = accusing.filter(({ cause }) => cause !== truth.cause);
  const longest = longestOf(right) ?? longestOf(accusing);
  const said = longest?.cause ?? longestOf(incidents.filter(isUnknown))?.cause ?? "nothing";
  const partErrorMs = truth.part === null ? null : errorOf(truth, truth.part, right);
  const mostMs = Math.max(withinMs, truth.lengthMs * withinShare) + spacingMs;
  return {
    isRight: truth.cause === null ? accusing.length === 0 : right.length > 0 && wrong.length === 0,
    said,
    falselyAccused: wrong.map(({ cause }) => cause),
    partErrorMs,
    isPartRight: partErrorMs === null ? null : Math.abs(partErrorMs) <= mostMs,
    areSumsExact: incidents.every(isExact),
  };
}

const isUnknown = ({ cause, stall }: Incident): boolean => cause === "unknown" && stall === null;

const longestOf = (incidents: readonly Incident[]): Incident | undefined =>
  [...incidents].sort((a, b) => b.durationMs - a.durationMs)[0];

function errorOf({ lengthMs }: Truth, part: keyof Blame, right: readonly Incident[]) {
  const parts = right.flatMap(({ commands }) => commands.map(({ blame }) => blame[part]));
  return parts.length === 0 ? null : Math.max(...parts) - lengthMs;
}

const isExact = ({ commands }: Incident): boolean =>
  commands.every(({ blame, maxMs }) => {
    const sum = Object.values(blame).reduce((total, one) => total + one, 0);
    return Math.abs(sum - maxMs) < 0.001;
  });
