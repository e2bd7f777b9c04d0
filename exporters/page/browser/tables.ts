// The tables: what blocked, who paid, by cause.

import type { Blame } from "../../../agent/model/incident";
import type { CauseRow, CommandRow, CulpritRow } from "../page-data";
import { blameParts, causeColour } from "./colours";
import { element } from "./dom";
import { address, count, duration, place } from "./words";

type Cell = Node | string;

interface Column<Row> {
  readonly title: string;
  readonly isFigure?: boolean;
  readonly cell: (row: Row) => Cell;
}

/** A name behind its colour. */
export const named = (colour: string, name: string): HTMLElement =>
  element("span", { class: "cause" }, swatch(colour), name);

export const causeName = (cause: string): HTMLElement => named(causeColour(cause), cause);

/** Colour by property: the page's policy forbids style attributes in markup, not this. */
function swatch(colour: string): HTMLElement {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.backgroundColor = colour;
  return made;
}

const spent = <
  Row extends { count: number; totalMs: number; longestMs: number },
>(): readonly Column<Row>[] => [
  { title: "times", isFigure: true, cell: (row) => count(row.count) },
  { title: "in all", isFigure: true, cell: (row) => duration(row.totalMs) },
  { title: "longest", isFigure: true, cell: (row) => duration(row.longestMs) },
];

export const causeTable = (rows: readonly CauseRow[]): HTMLElement =>
  table("Incidents by cause", rows, [
    { title: "cause", cell: (row) => causeName(row.cause) },
    ...spent<CauseRow>(),
  ]);

export const culpritTable = (rows: readonly CulpritRow[]): HTMLElement =>
  table("What blocked the loop, dearest first", rows, [
    { title: "module", cell: (row) => code(row.module ?? "not known") },
    { title: "function", cell: (row) => code(row.symbol ?? "") },
    { title: "system call", cell: (row) => code(row.syscall ?? "") },
    { title: "peer", cell: (row) => code(address(row.peer)) },
    { title: "line", cell: (row) => code(place(row.site), row.site?.function ?? null) },
    { title: "cause", cell: (row) => causeName(row.cause) },
    ...spent<CulpritRow>(),
  ]);

export const commandTable = (rows: readonly CommandRow[]): HTMLElement =>
  table("Commands that were held up, slowest first", rows, [
    { title: "command", cell: (row) => code(row.command) },
    { title: "client", cell: (row) => row.client },
    { title: "server", cell: (row) => code(row.server) },
    { title: "times", isFigure: true, cell: (row) => count(row.count) },
    { title: "slowest", isFigure: true, cell: (row) => duration(row.longestMs) },
    { title: "whose time the slowest one was", cell: (row) => blameBar(row.blame) },
  ]);

/** A bar in parts, and the same in words for those who do not see it. */
export function blameBar(blame: Blame): HTMLElement {
  const parts = blameParts.filter(({ key }) => (blame[key] ?? 0) > 0);
  const words = parts.map(({ key, name }) => `${name} ${duration(blame[key])}`).join(", ");
  const bar = element("span", { class: "bar", role: "img", "aria-label": words, title: words });
  for (const { key, colour } of parts) {
    const part = element("span", { class: "part" });
    part.style.flexGrow = `${blame[key]}`;
    part.style.backgroundColor = colour;
    bar.append(part);
  }
  return element("span", { class: "blame" }, bar, element("span", { class: "small" }, words));
}

export function blameLegend(): HTMLElement {
  const items = blameParts.map(({ name, colour }) => named(colour, name));
  return element("p", { class: "legend" }, ...items);
}

const code = (text: string, title: string | null = null): HTMLElement =>
  element("code", { title }, text);

function table<Row>(
  caption: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): HTMLElement {
  if (rows.length === 0) return element("p", { class: "none" }, `${caption}: none.`);
  const head = columns.map(({ title, isFigure }) =>
    element("th", { scope: "col", class: isFigure === true ? "figure" : null }, title),
  );
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...columns.map(({ cell, isFigure }) =>
        element("td", { class: isFigure === true ? "figure" : null }, cell(row)),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}
