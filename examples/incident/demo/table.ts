// Before and after, side by side.

import type { RunResult } from "./run";

interface Row {
  readonly label: string;
  readonly value: (result: RunResult) => string;
}

const milliseconds = (value: number | null) =>
  value === null ? "-" : `${value.toFixed(value < 10 ? 2 : 0)} ms`;

const rows: readonly Row[] = [
  { label: "EXPIRE as the API sees it, p50", value: ({ expire }) => milliseconds(expire.p50Ms) },
  { label: "EXPIRE as the API sees it, p99", value: ({ expire }) => milliseconds(expire.p99Ms) },
  { label: "EXPIRE as the API sees it, worst", value: ({ expire }) => milliseconds(expire.maxMs) },
  { label: "EXPIRE that took more than 50 ms", value: ({ expire }) => String(expire.slow) },
  { label: "stalls reported", value: (result) => String(stallCount(result)) },
  { label: "longest stall", value: (result) => milliseconds(longestStallMs(result)) },
  { label: "requests answered per second", value: ({ load }) => load.requestsPerSecond.toFixed(0) },
  { label: "requests failed", value: ({ load }) => String(load.failed) },
];

/** How many stalls the incidents of a run stand for. */
export const stallCount = ({ incidents }: RunResult): number =>
  incidents.reduce((sum, { stall, repeats }) => sum + (stall === null ? 0 : repeats), 0);

/** In milliseconds; null without a stall. */
export function longestStallMs({ incidents }: RunResult): number | null {
  const lengths = incidents.flatMap(({ stalls }) => stalls.map(({ durationMs }) => durationMs));
  return lengths.length === 0 ? null : Math.max(...lengths);
}

/** Two columns of figures under their heads, without a trailing newline. */
export function beforeAfterTable(before: RunResult, after: RunResult): string {
  const lines = [["", "synchronous client", "asynchronous client"]];
  for (const { label, value } of rows) lines.push([label, value(before), value(after)]);
  return lines
    .map(
      ([label = "", left = "", right = ""]) =>
        `  ${label.padEnd(34)}${left.padStart(20)}${right.padStart(22)}`,
    )
    .join("\n");
}
