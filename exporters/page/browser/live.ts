// The live page: listens to the watchdog and draws what it tells. It goes on while the application's
// loop is blocked, for it is served from another thread.

import type { LiveThread, LiveUpdate } from "../../live/live-data";
import { summarize } from "../summarize";
import { byId, element } from "./dom";
import { incidentList } from "./incidents";
import { latencyParts, liveCharts, rateOf } from "./live-charts";
import { afterUpdate, emptyState, type LiveState } from "./live-state";
import { figures, section } from "./sections";
import { blameLegend, causeName, commandTable, culpritTable, named } from "./tables";
import { clockTime, count, dateAndTime, duration } from "./words";

/** An update comes twice a second: this long without one means that nobody sends. */
const silentAfterMs = 3000;

const status = element("div", { class: "status", role: "status" });
const summary = element("div", {});
const culprits = element("div", {});
const payers = element("div", {});
const incidents = element("div", {});
const charts = liveCharts();

let state: LiveState = emptyState;
let heardMs = performance.now();
let incidentsDrawn = "";

function build(): void {
  const legend = latencyParts.map(({ name, colour }) => named(colour, name));
  byId("content").replaceChildren(
    status,
    summary,
    section("Timeline", element("p", { class: "legend" }, ...legend), charts.root),
    section("What blocked the loop", culprits),
    section("Who paid", blameLegend(), payers),
    section("Incidents", incidents),
  );
}

function hear(update: LiveUpdate): void {
  heardMs = performance.now();
  state = afterUpdate(state, update);
  byId("made").textContent =
    `process ${state.pid}, ${dateAndTime(state.nowEpochMs)} by its watchdog's clock`;
  drawStatus(state.threads);
  drawSummary();
  charts.update(state);
  drawIncidents();
}

function drawStatus(threads: readonly LiveThread[]): void {
  const stalled = threads.filter(({ status: now }) => now === "stalled");
  status.classList.toggle("stalled", stalled.length > 0);
  status.classList.remove("silent");
  if (stalled.length === 0) {
    const workers = threads.length > 1 ? ` (and ${threads.length - 1} worker threads)` : "";
    status.replaceChildren(`The event loop turns${workers}.`);
    return;
  }
  status.replaceChildren(...stalled.map(stalledLine));
}

function stalledLine({ threadId, stalledForMs, cause, culprit }: LiveThread): HTMLElement {
  const whose = threadId === 0 ? "The event loop" : `The loop of worker thread ${threadId}`;
  return element(
    "p",
    {},
    element("strong", {}, `${whose} has been blocked for ${duration(stalledForMs)} `),
    causeName(cause ?? "unknown"),
    culprit === null ? null : element("code", {}, ` ${culprit}`),
  );
}

function drawSummary(): void {
  const nowSecond = Math.floor((state.nowEpochMs - state.monotonicEpochMs) / 1000);
  const stalledMs = state.stalls.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const longestMs = state.stalls.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
  const rates = [...state.servers].map(
    ([server, seconds]) => [`commands a second, ${server}`, rateOf(seconds, nowSecond)] as const,
  );
  summary.replaceChildren(
    figures([
      ["stalls in ten minutes", count(state.stalls.length)],
      ["loop stood still", duration(stalledMs)],
      ["longest stall", duration(longestMs)],
      ...rates,
    ]),
  );
}

/** Only when there is something new: whoever reads one keeps it open. */
function drawIncidents(): void {
  const newest = state.incidents.at(-1);
  const drawn = `${state.pid} ${state.incidents.length} ${newest?.id} ${newest?.state}`;
  if (drawn === incidentsDrawn) return;
  incidentsDrawn = drawn;
  const data = summarize(state.incidents, { title: "", madeEpochMs: state.nowEpochMs, notes: [] });
  culprits.replaceChildren(culpritTable(data.culprits));
  payers.replaceChildren(commandTable(data.commands));
  const open = [...incidents.querySelectorAll("details[open]")].map((one) => one.id);
  incidents.replaceChildren(incidentList(data.incidents).root);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
}

function listen(): void {
  const source = new EventSource("events");
  source.addEventListener("message", ({ data }) => hear(JSON.parse(data) as LiveUpdate));
  setInterval(() => {
    if (performance.now() - heardMs < silentAfterMs) return;
    status.classList.add("silent");
    status.replaceChildren(
      `Nothing heard since ${clockTime(state.nowEpochMs)}: the process has ended, or cannot be reached.`,
    );
  }, 1000);
}

build();
listen();
