// The one place where an incident is made: evidence of a stall, judged, in the words of the schema.

import { toEpochMs } from "../base/clock";
import { adviceFor } from "../diagnose/advice";
import { bystanders } from "../diagnose/bystanders";
import { durationMs, roundMs } from "../diagnose/rule";
import { judge } from "../diagnose/verdict";
import type { StallEvidence } from "../model/evidence";
import { type Evidence, type Incident, incidentSchema } from "../model/incident";
import { type Ms, ms } from "../model/units";
import type { SourceMaps } from "../stack/source-maps";
import type { Activity } from "./activity";
import type { SlowEpisode } from "./slow-episodes";
import { withSources } from "./with-sources";

/** Commands listed with one incident; the rest paid too, but less. */
const commandsMax = 32;

export interface IncidentMaker {
  /** Called once for an open stall and once when it is closed, it gives both the same id. */
  fromStall(evidence: StallEvidence, state: Incident["state"]): Incident;
  /** The same for an episode that is told while it goes on. */
  fromSlowEpisode(slow: SlowEpisode, threadId: number): Incident;
}

export interface IncidentMakerOptions {
  readonly pid: number;
  /** Makes ids unique among processes; ids of one process count up. */
  readonly seed: string;
  readonly activity: Pick<Activity, "around">;
  /** Leads frames to their sources where there are maps; null: they stay as they are. */
  readonly sources: SourceMaps | null;
}

export function createIncidentMaker(options: IncidentMakerOptions): IncidentMaker {
  const { pid, seed, activity, sources } = options;
  const beside = (startMs: Ms, endMs: Ms): readonly Evidence[] =>
    bystanders(activity.around(startMs, endMs));
  return {
    fromSlowEpisode({ number, state, startMs, endMs, verdict, commands }, threadId) {
      const { cause, confidence } = verdict;
      const startEpochMs = roundMs(toEpochMs(startMs));
      return {
        schema: incidentSchema,
        id: `${seed}-c${number}`,
        state,
        pid,
        threadId,
        startedAt: new Date(startEpochMs).toISOString(),
        durationMs: roundMs(endMs - startMs),
        cause,
        confidence,
        stall: null,
        culprit: null,
        commands: commands.slice(0, commandsMax),
        evidence: [...verdict.evidence, ...beside(startMs, endMs)],
        advice: adviceFor(cause, null, threadId),
        repeats: 1,
        stalls: [],
      };
    },
    fromStall(evidence, state) {
      const verdict = judge(sources === null ? evidence : withSources(evidence, sources));
      const { startMs } = evidence.stall;
      const startEpochMs = roundMs(toEpochMs(startMs));
      const stall = { startEpochMs, durationMs: roundMs(durationMs(evidence)) };
      return {
        schema: incidentSchema,
        id: `${seed}-${evidence.stall.id}`,
        state,
        pid,
        threadId: evidence.stall.threadId,
        startedAt: new Date(startEpochMs).toISOString(),
        durationMs: stall.durationMs,
        cause: verdict.cause,
        confidence: verdict.confidence,
        stall,
        culprit: verdict.culprit,
        commands: evidence.commands.slice(0, commandsMax),
        evidence: [...verdict.evidence, ...beside(startMs, ms(startMs + durationMs(evidence)))],
        advice: adviceFor(verdict.cause, verdict.culprit, evidence.stall.threadId),
        repeats: 1,
        stalls: [stall],
      };
    },
  };
}
