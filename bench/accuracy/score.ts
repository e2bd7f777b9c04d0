// Counts how much of what an agent said was right. Pure.

import type { Finding } from "./finding";
import { match, type Pair } from "./match";
import type { OneOf, TrueStall, Truth } from "./truth";

/** One program on one Node version. */
export interface Result {
  readonly program: string;
  readonly node: string;
  readonly truth: readonly Truth[];
  readonly findings: readonly Finding[];
  /** The agent's own words, kept to look into a mistake. */
  readonly output: string;
}

export interface Share {
  readonly right: number;
  readonly of: number;
}

export const aspects = [
  "cause",
  "module",
  "symbol",
  "system call",
  "peer",
  "function",
  "file and line",
] as const;
export type Aspect = (typeof aspects)[number];

export interface Wrong {
  readonly program: string;
  readonly aspect: Aspect | "missed" | "extra";
  readonly expected: string;
  readonly got: string;
}

export interface Score {
  readonly programs: number;
  readonly skipped: readonly string[];
  readonly failed: readonly string[];
  readonly disturbed: number;
  readonly stalls: number;
  readonly found: number;
  /** Findings that belong to no stall, in labelled programs. */
  readonly extra: number;
  readonly shares: Readonly<Record<Aspect, Share>>;
  /** True cause, then the cause that was said ("missed" for none), then how often. */
  readonly confusion: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly startErrorsMs: readonly number[];
  readonly lengthErrorsMs: readonly number[];
  readonly innocent: InnocentScore;
  readonly wrong: readonly Wrong[];
}

export interface InnocentScore {
  readonly programs: number;
  /** Those in which the application was blamed for something. */
  readonly accused: readonly string[];
  /** Those in which the agent reported anything while the program's own timer was never late by as much. */
  readonly alarmed: readonly string[];
  /** Those whose own timer was late by an incident's length: the machine stalled them. */
  readonly stalledByMachine: readonly string[];
}

/** Causes that blame the application. */
const accusations = new Set([
  "sync-native-io",
  "sync-native-cpu",
  "sync-core-api",
  "module-load",
  "js-cpu",
]);
const innocentUntilMs = 50;

export function score(results: readonly Result[]): Score {
  const draft = emptyDraft();
  for (const result of results) {
    const unusable = result.truth.find(({ kind }) => kind === "skipped" || kind === "failed");
    if (unusable?.kind === "skipped") draft.skipped.push(result.program);
    else if (unusable !== undefined || !result.truth.some(({ kind }) => kind === "end"))
      draft.failed.push(result.program);
    else if (result.truth.some(({ kind }) => kind === "innocent")) addInnocent(draft, result);
    else addLabelled(draft, result);
  }
  return { ...draft, innocent: draft.innocent };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };
interface Draft extends Mutable<Omit<Score, "shares" | "confusion" | "innocent">> {
  readonly shares: Record<Aspect, { right: number; of: number }>;
  readonly confusion: Map<string, Map<string, number>>;
  readonly innocent: Mutable<InnocentScore>;
}

function emptyDraft(): Draft {
  const shares = Object.fromEntries(aspects.map((aspect) => [aspect, { right: 0, of: 0 }]));
  return {
    programs: 0,
    skipped: [],
    failed: [],
    disturbed: 0,
    stalls: 0,
    found: 0,
    extra: 0,
    shares: shares as Draft["shares"],
    confusion: new Map(),
    startErrorsMs: [],
    lengthErrorsMs: [],
    innocent: { programs: 0, accused: [], alarmed: [], stalledByMachine: [] },
    wrong: [],
  };
}

function addInnocent(draft: Draft, { program, truth, findings }: Result): void {
  const { innocent } = draft;
  innocent.programs += 1;
  const isLate = truth.some(
    (entry) => entry.kind === "innocent" && entry.longestMs >= innocentUntilMs,
  );
  if (isLate) innocent.stalledByMachine.push(program);
  const { extra } = match(truth, findings);
  const accusing = extra.find(({ cause }) => accusations.has(cause));
  if (accusing !== undefined) innocent.accused.push(program);
  else if (extra.length > 0 && !isLate) innocent.alarmed.push(program);
  for (const finding of extra)
    draft.wrong.push({ program, aspect: "extra", expected: "nothing", got: inWords(finding) });
}

function addLabelled(draft: Draft, { program, truth, findings }: Result): void {
  const { pairs, extra, disturbed } = match(truth, findings);
  draft.programs += 1;
  draft.disturbed += disturbed.length;
  draft.extra += extra.length;
  for (const finding of extra)
    draft.wrong.push({ program, aspect: "extra", expected: "nothing", got: inWords(finding) });
  for (const pair of pairs) addPair(draft, program, pair);
}

function addPair(draft: Draft, program: string, { stall, finding }: Pair): void {
  draft.stalls += 1;
  count(draft.confusion, stall.cause, finding?.cause ?? "missed");
  if (finding === null) {
    const expected = `${stall.cause} of ${Math.round(stall.durationMs)} ms`;
    draft.wrong.push({ program, aspect: "missed", expected, got: "nothing" });
  } else {
    draft.found += 1;
    draft.startErrorsMs.push(Math.abs(finding.startEpochMs - stall.startEpochMs));
    draft.lengthErrorsMs.push(Math.abs(finding.durationMs - stall.durationMs));
  }
  for (const { aspect, expected, isRight, got } of verdictsOf(stall, finding)) {
    draft.shares[aspect].of += 1;
    if (isRight) draft.shares[aspect].right += 1;
    else draft.wrong.push({ program, aspect, expected: words(expected), got: words(got) });
  }
}

interface AspectVerdict {
  readonly aspect: Aspect;
  readonly expected: unknown;
  readonly got: unknown;
  readonly isRight: boolean;
}

/** A stall that was missed is wrong in everything that could be said of it. */
function verdictsOf(stall: TrueStall, finding: Finding | null): readonly AspectVerdict[] {
  const { module, symbol, syscall, peer, site } = stall.culprit;
  const said = finding ?? nothingSaid;
  const verdicts: AspectVerdict[] = [];
  const add = (aspect: Aspect, expected: unknown, got: unknown, isRight: boolean) =>
    verdicts.push({ aspect, expected, got, isRight });
  const named = (
    aspect: Aspect,
    expected: OneOf<string> | null | undefined,
    got: string | null,
  ) => {
    if (expected !== undefined)
      add(aspect, expected, got, finding !== null && isOneOf(expected, got));
  };
  named("cause", stall.cause, said.cause);
  named("module", module, said.module);
  named("symbol", symbol, said.symbol);
  named("system call", syscall, said.syscall);
  if (peer !== undefined) {
    const isRight = said.peer?.host === peer.host && said.peer.port === peer.port;
    add("peer", peer, said.peer, isRight);
  }
  if (site !== undefined) {
    named("function", site.function, said.function);
    const isRight = said.file === site.file && site.lines.includes(said.line ?? -1);
    add("file and line", site.lines.join("|"), `${said.file}:${said.line}`, isRight);
  }
  return verdicts;
}

const nothingSaid = {
  cause: null,
  module: null,
  symbol: null,
  syscall: null,
  peer: null,
  function: null,
  file: null,
  line: null,
} as const;

function isOneOf(expected: OneOf<string> | null, got: string | null): boolean {
  return typeof expected === "string" || expected === null
    ? expected === got
    : got !== null && expected.includes(got);
}

function count(table: Map<string, Map<string, number>>, row: string, column: string): void {
  const cells = table.get(row) ?? new Map<string, number>();
  cells.set(column, (cells.get(column) ?? 0) + 1);
  table.set(row, cells);
}

const words = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

const inWords = (finding: Finding): string =>
  `${finding.cause} of ${Math.round(finding.durationMs)} ms: ${finding.symbol ?? "?"} in ${finding.module ?? "?"} at ${finding.function ?? "?"}`;

/** The value below which this share of them lies; null for none. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
}
