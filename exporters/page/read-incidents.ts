// Incidents from the lines of a log (NDJSON). Pure. A line that is none is named, and the rest is read.

import { type Incident, incidentSchema } from "../../agent/model/incident";

export interface ReadIncidents {
  readonly incidents: readonly Incident[];
  /** A sentence for each line that could not be used, with its number. */
  readonly problems: readonly string[];
}

export function readIncidents(text: string): ReadIncidents {
  const incidents: Incident[] = [];
  const problems: string[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const read = readLine(line);
    if (typeof read === "string") problems.push(`line ${index + 1} ${read}`);
    else incidents.push(read);
  });
  return { incidents, problems };
}

/** The incident, or why it is none. */
function readLine(line: string): Incident | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "is not JSON";
  }
  if (typeof value !== "object" || value === null) return "is not a JSON object";
  const given = value as Partial<Incident>;
  if (given.schema !== incidentSchema) {
    return `has the schema ${JSON.stringify(given.schema ?? null)}, not "${incidentSchema}"`;
  }
  const lacking = requiredFields.find(([name, isValid]) => !isValid(given[name]));
  return lacking === undefined
    ? { ...optional, ...(given as Incident) }
    : `has no valid "${lacking[0]}"`;
}

const listOf =
  (isValid: (item: Record<string, unknown>) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) &&
    value.every((item) => typeof item === "object" && item !== null && isValid(item));
const isTime = (value: unknown): boolean =>
  typeof value === "string" && !Number.isNaN(Date.parse(value));
const isFigure = (value: unknown): boolean => Number.isFinite(value);

/** What the page cannot do without; all else may be missing in what another version wrote. */
const requiredFields: readonly (readonly [keyof Incident, (value: unknown) => boolean])[] = [
  ["id", (value) => typeof value === "string"],
  ["cause", (value) => typeof value === "string"],
  ["startedAt", isTime],
  ["durationMs", isFigure],
  ["stalls", listOf((stall) => isFigure(stall["startEpochMs"]) && isFigure(stall["durationMs"]))],
  ["commands", listOf((one) => isFigure(one["count"]) && typeof one["blame"] === "object")],
  ["evidence", listOf((fact) => typeof fact["says"] === "string")],
];

const optional = { stall: null, culprit: null, advice: "", repeats: 1, confidence: 0 } as const;
