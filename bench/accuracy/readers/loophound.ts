// Reads loophound's own log. The last line of an id counts; a folded line stands for each of its stalls.

import type { Incident } from "../../../agent/model/incident";
import type { AgentReader, Finding } from "../finding";

export const loophound: AgentReader = {
  name: "loophound",
  environment: (outputFile) => ({
    LOOPHOUND_LOG: outputFile,
    LOOPHOUND_PORT: "off",
    LOOPHOUND_STDERR: "off",
    // The truth names lines of the files that are run.
    LOOPHOUND_SOURCE_MAPS: "off",
  }),
  read(output) {
    const byId = new Map<string, Incident>();
    for (const line of output.split("\n")) {
      if (line === "") continue;
      const incident = JSON.parse(line) as Incident;
      byId.set(incident.id, incident);
    }
    return [...byId.values()].flatMap(findingsOf);
  },
};

/** None for a slow command without a stall: this suite is about the loop. */
function findingsOf(incident: Incident): readonly Finding[] {
  const { cause, culprit, threadId } = incident;
  const named = {
    threadId,
    cause,
    module: culprit?.module ?? null,
    symbol: culprit?.symbol ?? null,
    syscall: culprit?.syscall ?? null,
    peer: culprit?.peer ?? null,
    function: culprit?.site?.function ?? null,
    file: culprit?.site?.file ?? null,
    line: culprit?.site?.line ?? null,
  };
  const stalls = incident.stalls.length > 0 ? incident.stalls : [incident.stall];
  return stalls
    .filter((stall) => stall !== null)
    .map(({ startEpochMs, durationMs }) => ({ ...named, startEpochMs, durationMs }));
}
