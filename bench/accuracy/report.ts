// Scores as tables: for a terminal, for docs/accuracy.md, and as JSON. Pure.

import { type Aspect, aspects, quantile, type Score } from "./score";

export type Scores = ReadonlyMap<string, Score>;

/** Markdown reads well on a terminal too. */
export function reportText(scores: Scores): string {
  return `\n${summaryTable(scores)}\n${confusionTable(scores)}\n${mistakes(scores)}`;
}

export function reportJson(scores: Scores): string {
  const plain = [...scores].map(([node, { confusion, ...score }]) => [
    node,
    {
      ...score,
      confusion: Object.fromEntries(
        [...confusion].map(([cause, cells]) => [cause, Object.fromEntries(cells)]),
      ),
    },
  ]);
  return `${JSON.stringify(Object.fromEntries(plain), null, 2)}\n`;
}

const aspectRow = (aspect: Aspect): [string, (score: Score) => string] => [
  aspect,
  ({ shares }) => shareOf(shares[aspect].right, shares[aspect].of),
];

const rows: readonly [string, (score: Score) => string][] = [
  ["labelled programs", ({ programs }) => String(programs)],
  ["stalls from 50 ms", ({ stalls }) => String(stalls)],
  ["stalls found (recall)", ({ found, stalls }) => shareOf(found, stalls)],
  ["findings that are stalls (precision)", ({ found, extra }) => shareOf(found, found + extra)],
  ...aspects.map(aspectRow),
  ["error of start, p50 / p99", ({ startErrorsMs }) => errorsOf(startErrorsMs)],
  ["error of length, p50 / p99", ({ lengthErrorsMs }) => errorsOf(lengthErrorsMs)],
  ["innocent programs", ({ innocent }) => String(innocent.programs)],
  ["of these accused", ({ innocent }) => String(innocent.accused.length)],
  ["of these reported, not accused", ({ innocent }) => String(innocent.alarmed.length)],
  ["of these stalled by the machine", ({ innocent }) => String(innocent.stalledByMachine.length)],
  ["stalls spoiled by the machine", ({ disturbed }) => String(disturbed)],
  ["programs skipped", ({ skipped }) => String(skipped.length)],
  ["programs failed", ({ failed }) => String(failed.length)],
];

/** One column for each Node version. */
export function summaryTable(scores: Scores): string {
  const head = ["", ...scores.keys()];
  return table(
    head,
    rows.map(([title, cell]) => [title, ...[...scores.values()].map(cell)]),
  );
}

/** All versions together; rows are the truth, columns what was said. */
export function confusionTable(scores: Scores): string {
  const sums = new Map<string, Map<string, number>>();
  for (const { confusion } of scores.values()) {
    for (const [cause, cells] of confusion) {
      const sum = sums.get(cause) ?? new Map<string, number>();
      for (const [said, times] of cells) sum.set(said, (sum.get(said) ?? 0) + times);
      sums.set(cause, sum);
    }
  }
  const causes = [...sums.keys()].sort();
  const others = new Set([...sums.values()].flatMap((cells) => [...cells.keys()]));
  const said = [...causes, ...[...others].filter((cause) => !causes.includes(cause)).sort()];
  return table(
    ["truth \\ said", ...said],
    causes.map((cause) => [
      cause,
      ...said.map((other) => String(sums.get(cause)?.get(other) ?? "")),
    ]),
  );
}

/** Every mistake, the same ones of one program together. */
export function mistakes(scores: Scores): string {
  const lines = new Map<string, number>();
  for (const [node, { wrong }] of scores) {
    for (const { program, aspect, expected, got } of wrong) {
      const line = `- ${node} ${program}: ${aspect}: expected ${expected}, got ${got}`;
      lines.set(line, (lines.get(line) ?? 0) + 1);
    }
  }
  return [...lines]
    .map(([line, times]) => `${line}${times > 1 ? ` (${times} times)` : ""}\n`)
    .join("");
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return `${line(head)}|${"---|".repeat(head.length)}\n${body.map(line).join("")}`;
}

function shareOf(right: number, of: number): string {
  return of === 0 ? "–" : `${((100 * right) / of).toFixed(1)} % (${right}/${of})`;
}

function errorsOf(errorsMs: readonly number[]): string {
  const at = (share: number) => quantile(errorsMs, share)?.toFixed(1) ?? "–";
  return `${at(0.5)} / ${at(0.99)} ms`;
}
