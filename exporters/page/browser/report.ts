// The report's start: reads the data that lies in the page and draws it.

import type { PageData } from "../page-data";
import { byId, element } from "./dom";
import { incidentList } from "./incidents";
import { figures, section } from "./sections";
import { blameLegend, causeTable, commandTable, culpritTable } from "./tables";
import { timeline } from "./timeline";
import { count, dateAndTime, duration } from "./words";

function totals({ totals: total, fromEpochMs, toEpochMs }: PageData): HTMLElement {
  return figures([
    ["incidents", count(total.incidents)],
    ["loop stood still", duration(total.stalledMs)],
    ["longest stall", duration(total.longestMs)],
    ["commands held up", count(total.commands)],
    ["processes", count(total.processes)],
    ["time told of", duration(toEpochMs - fromEpochMs)],
  ]);
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
    totals(data),
    section("Timeline", line.root),
    section("What blocked the loop", culpritTable(data.culprits)),
    section("Who paid", blameLegend(), commandTable(data.commands)),
    section("Causes", causeTable(data.causes)),
    section("Incidents", list.root),
  );
  line.draw();
}

draw(JSON.parse(byId("data").textContent ?? "") as PageData);
