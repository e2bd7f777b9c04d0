// The report's start: reads the data that lies in the page and draws it.

import type { PageData } from "../page-data";
import { byId, element } from "./dom";
import { incidentList } from "./incidents";
import { blameLegend, causeTable, commandTable, culpritTable } from "./tables";
import { timeline } from "./timeline";
import { count, dateAndTime, duration } from "./words";

function section(title: string, ...children: readonly Node[]): HTMLElement {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...children);
}

function figures({ totals, fromEpochMs, toEpochMs }: PageData): HTMLElement {
  const shown: readonly (readonly [string, string])[] = [
    ["incidents", count(totals.incidents)],
    ["loop stood still", duration(totals.stalledMs)],
    ["longest stall", duration(totals.longestMs)],
    ["commands held up", count(totals.commands)],
    ["processes", count(totals.processes)],
    ["time told of", duration(toEpochMs - fromEpochMs)],
  ];
  const cards = shown.map(([name, figure]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, figure)),
  );
  return element("dl", { class: "figures" }, ...cards);
}

function draw(data: PageData): void {
  const list = incidentList(data.incidents);
  const line = timeline(data, list.open);
  document.title = data.title;
  byId("title").textContent = data.title;
  byId("made").textContent =
    `${dateAndTime(data.fromEpochMs)} to ${dateAndTime(data.toEpochMs)}, made ${dateAndTime(data.madeEpochMs)} (this browser's time zone)`;
  byId("content").replaceChildren(
    ...data.notes.map((note) => element("p", { class: "note" }, note)),
    figures(data),
    section("Timeline", line.root),
    section("What blocked the loop", culpritTable(data.culprits)),
    section("Who paid", blameLegend(), commandTable(data.commands)),
    section("Causes", causeTable(data.causes)),
    section("Incidents", list.root),
  );
  line.draw();
}

draw(JSON.parse(byId("data").textContent ?? "") as PageData);
