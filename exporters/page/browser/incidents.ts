// The incidents, each to be opened: what it was, the proof, who paid, the stacks, what to do.

import type { Culprit, Incident } from "../../../agent/model/incident";
import { element } from "./dom";
import { blameBar, causeName } from "./tables";
import { address, count, dateAndTime, duration, place } from "./words";

/** As many as are read; the rest come with a button. */
const shownAtOnce = 50;

export interface IncidentList {
  readonly root: HTMLElement;
  /** Opens one and brings it into view. */
  open(index: number): void;
}

/** Newest first; `incidents` is in order of time. */
export function incidentList(incidents: readonly Incident[]): IncidentList {
  const list = element("div", { class: "incidents" });
  const more = element("button", { type: "button", class: "more" });
  const made = new Map<number, HTMLDetailsElement>();
  let next = incidents.length - 1;

  function showUntil(last: number): void {
    for (; next >= Math.max(0, last); next--) {
      const item = incidentItem(incidents[next] as Incident);
      made.set(next, item);
      list.append(item);
    }
    more.hidden = next < 0;
    more.textContent = `Show ${Math.min(shownAtOnce, next + 1)} of ${next + 1} earlier ones`;
  }

  more.addEventListener("click", () => showUntil(next - shownAtOnce + 1));
  showUntil(next - shownAtOnce + 1);
  return {
    root: element("div", {}, list, more),
    open(index) {
      showUntil(index);
      const item = made.get(index);
      if (item === undefined) return;
      item.open = true;
      item.scrollIntoView({ block: "center" });
      item.querySelector("summary")?.focus();
    },
  };
}

function incidentItem(incident: Incident): HTMLDetailsElement {
  const startedMs = Date.parse(incident.startedAt);
  const summary = element(
    "summary",
    {},
    element("span", { class: "when" }, dateAndTime(startedMs)),
    causeName(incident.cause),
    element("span", { class: "figure" }, duration(incident.durationMs)),
    element("span", { class: "who" }, headline(incident)),
  );
  const item = element("details", { class: "incident", id: `incident-${incident.id}` }, summary);
  // Drawn when it is opened for the first time: there may be thousands.
  item.addEventListener("toggle", () => {
    if (item.open && item.childElementCount === 1) item.append(...body(incident));
  });
  return item;
}

function headline({ culprit, commands, stall, repeats }: Incident): string {
  const often = repeats > 1 ? ` (${count(repeats)} like it)` : "";
  if (culprit === null) return `${stall === null ? (commands[0]?.command ?? "") : ""}${often}`;
  const inside = [culprit.symbol, culprit.syscall].filter((part) => part !== null).join(" > ");
  const on = culprit.peer === null ? (culprit.target ?? "") : address(culprit.peer);
  const where = place(culprit.site);
  return `${culprit.module ?? "?"}${inside === "" ? "" : ` (${inside})`}${on === "" ? "" : ` on ${on}`}${where === "" ? "" : ` at ${where}`}${often}`;
}

function body(incident: Incident): readonly Node[] {
  const { advice, confidence, evidence, commands, culprit, pid, threadId, id, state } = incident;
  const sure = `${Math.round(confidence * 100)} % sure`;
  return [
    element(
      "p",
      { class: "small" },
      `${id}, process ${pid}, thread ${threadId}, ${state}, ${sure}`,
    ),
    ...(advice === "" ? [] : [element("p", { class: "advice" }, advice)]),
    element("h4", {}, "Evidence"),
    element("ul", {}, ...evidence.map(({ kind, says }) => fact(kind, says))),
    ...(commands.length === 0 ? [] : [element("h4", {}, "Who paid"), payers(incident)]),
    ...(culprit === null ? [] : stacks(culprit)),
  ];
}

const fact = (kind: string, says: string): HTMLElement =>
  element("li", {}, element("code", {}, kind), ` ${says}`);

function payers({ commands }: Incident): HTMLElement {
  const items = commands.map((one) =>
    element(
      "li",
      {},
      element("code", {}, one.command),
      ` ${count(one.count)} times, up to ${duration(one.maxMs)} `,
      blameBar(one.blame),
    ),
  );
  return element("ul", { class: "payers" }, ...items);
}

function stacks({ nativeStack, jsStack }: Culprit): readonly Node[] {
  const shown = [
    ["Native stack", nativeStack ?? []],
    ["JavaScript stack", jsStack ?? []],
  ] as const;
  return shown
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([title, lines]) => [
      element("h4", {}, `${title}, innermost first`),
      element("pre", { tabindex: 0 }, lines.join("\n")),
    ]);
}
