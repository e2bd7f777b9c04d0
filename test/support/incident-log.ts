// Reads the agent's NDJSON log while it grows, and refuses what is not an incident.

import { readFileSync } from "node:fs";
import { type Incident, incidentSchema } from "../../agent/model/incident";

export interface IncidentLog {
  /** Every complete line until now, in order; [] while there is no file. Throws at a line that breaks the contract. */
  read(): readonly Incident[];
}

/** A log that need not be there yet. */
export function openIncidentLog(path: string): IncidentLog {
  const incidents: Incident[] = [];
  let linesRead = 0;
  return {
    read() {
      // Whole files: the agent bounds them, and a test's log has a few lines. The last piece has no end yet.
      const lines = textOf(path).split("\n").slice(0, -1);
      for (const line of lines.slice(linesRead)) {
        linesRead += 1;
        incidents.push(parseIncident(line, `${path}:${linesRead}`));
      }
      return [...incidents];
    },
  };
}

/** Checks what a reader of the schema relies on to tell one line from another; `where` is for the error. */
export function parseIncident(line: string, where: string): Incident {
  const incident = parseJson(line, where);
  if (incident.schema !== incidentSchema)
    throw new Error(`${where}: not ${incidentSchema}: ${line}`);
  const isWhole =
    typeof incident.id === "string" &&
    (incident.state === "open" || incident.state === "closed") &&
    typeof incident.cause === "string" &&
    Array.isArray(incident.commands) &&
    Array.isArray(incident.evidence);
  if (!isWhole) throw new Error(`${where}: an incident with a part missing: ${line}`);
  return incident;
}

function parseJson(line: string, where: string): Incident {
  try {
    return JSON.parse(line) as Incident;
  } catch {
    throw new Error(`${where}: not JSON: ${line}`);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
