// `loophound report`: a log of incidents as one self-contained web page.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { readPageAssets } from "../exporters/page/assets";
import { reportDocument } from "../exporters/page/document";
import { readIncidents } from "../exporters/page/read-incidents";
import { summarize } from "../exporters/page/summarize";
import { nowMs, toEpochMs } from "./base/clock";

const stdin = 0;
/** Lines named one by one; a file of another kind has thousands. */
const problemsShown = 3;

export interface ReportOptions {
  /** A path, or - for stdin. */
  readonly input: string;
  /** null: beside the input, or stdout where that is stdin. */
  readonly output: string | null;
}

/** Returns 0 when the page was written; 1 if there was nothing to read or no place to write. */
export function writeReport({ input, output }: ReportOptions): number {
  const text = attempt(`read ${input}`, () => readFileSync(input === "-" ? stdin : input, "utf8"));
  if (text === null) return 1;
  const { incidents, problems } = readIncidents(text);
  for (const problem of problems.slice(0, problemsShown)) say(`${input}: ${problem}`);
  if (incidents.length === 0 && problems.length > 0) {
    say(`${input} holds no incident: it takes what LOOPHOUND_LOG writes, one JSON object a line`);
    return 1;
  }
  const page = reportDocument(
    summarize(incidents, {
      title: `loophound: ${input === "-" ? "incidents" : basename(input)}`,
      madeEpochMs: Math.round(toEpochMs(nowMs())),
      notes: notesOn(problems),
    }),
    readPageAssets("report"),
  );
  const target = output ?? (input === "-" ? null : besides(input));
  const isWritten = attempt(`write ${target ?? "to stdout"}`, () => {
    if (target === null) process.stdout.write(page);
    else writeFileSync(target, page);
    return true;
  });
  if (isWritten === null) return 1;
  const left = problems.length === 0 ? "" : `, ${problems.length} lines left out`;
  say(`${incidents.length} incidents${left}: ${target ?? "written to stdout"}`);
  return 0;
}

const say = (text: string): void => void process.stderr.write(`loophound: ${text}\n`);

function attempt<T>(what: string, action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    say(`cannot ${what}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function notesOn(problems: readonly string[]): readonly string[] {
  const [first] = problems;
  if (first === undefined) return [];
  return [
    `${problems.length} lines of the log could not be read and are left out; the first: ${first}.`,
  ];
}

const besides = (input: string): string =>
  `${input.slice(0, input.length - extname(input).length)}.html`;
