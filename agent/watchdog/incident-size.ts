// Bounds one incident: names and sentences in it come from the application and may be of any length,
// and what the store keeps, the log writes and HTTP serves must not. Pure; watchdog thread.

import type { Incident } from "../model/incident";

/** A deep path or a demangled C++ name fits; no sentence of ours is longer. */
const textLengthMax = 1024;
/** Evidence, stacks, commands, and the 64 stalls of the contract. */
const listLengthMax = 64;
const fieldsMax = 64;
/** incident > evidence > item > figure > two levels of its own. */
const depthMax = 6;

/** The same incident with overlong texts and lists cut; figures that JSON cannot hold become text. */
export const bounded = (incident: Incident): Incident => bound(incident, depthMax) as Incident;

function bound(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cut(value);
  // null, true and false; and JSON turns NaN and the infinities into null by itself.
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value !== "object") return cut(String(value));
  if (depth === 0) return "…";
  if (Array.isArray(value)) {
    return value.slice(0, listLengthMax).map((item) => bound(item, depth - 1));
  }
  const entries = Object.entries(value).slice(0, fieldsMax);
  return Object.fromEntries(entries.map(([key, item]) => [cut(key), bound(item, depth - 1)]));
}

const cut = (text: string): string =>
  text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text;
