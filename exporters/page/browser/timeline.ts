// The timeline: each stall where it began, as wide as it was long and as high, coloured by its cause.
// Zoomed by dragging, by the wheel with Ctrl, or by the keyboard; a click opens the incident.

import uPlot from "uplot";
import type { PageData, TimelineStall } from "../page-data";
import { causeColour } from "./colours";
import { element } from "./dom";
import { causeName } from "./tables";
import { clockTime, duration } from "./words";
import { moved, type Range } from "./zoom";

const heightPx = 220;
/** Narrower than this is not seen. */
const barWidthMinPx = 3;
/** A pointer this near means the bar. */
const nearPx = 6;
/** Room before the first stall and after the last one. */
const marginShare = 0.02;

export interface Timeline {
  readonly root: HTMLElement;
  /** To be called once `root` is in the document. */
  draw(): void;
}

export function timeline(data: PageData, onPick: (incident: number) => void): Timeline {
  const { stalls } = data;
  if (stalls.length === 0) {
    return { root: element("p", { class: "none" }, "No stall."), draw: () => undefined };
  }
  const told = element("output", { class: "told", "aria-live": "polite" });
  const canvas = element("div", {
    class: "chart",
    tabindex: 0,
    role: "application",
    "aria-label": "Timeline of stalls. Plus and minus zoom, arrow keys move, 0 shows all.",
  });
  const causes = [...new Set(stalls.map(({ cause }) => cause))].map(causeName);
  const root = element(
    "div",
    {},
    element("p", { class: "legend" }, ...causes),
    canvas,
    told,
    help(),
  );
  return { root, draw: () => draw(data, canvas, told, onPick) };
}

const help = (): HTMLElement =>
  element(
    "p",
    { class: "small" },
    "Drag to zoom, double-click for all; keys: + and - zoom, arrows move, 0 shows all. Click a bar to open its incident.",
  );

function draw(
  data: PageData,
  canvas: HTMLElement,
  told: HTMLElement,
  onPick: (incident: number) => void,
): void {
  const all = rangeOf(data);
  const { stalls } = data;
  const at = (plot: uPlot): TimelineStall | null => {
    const { left = -1 } = plot.cursor;
    return left < 0 ? null : nearest(plot, stalls, left);
  };
  const tell = (plot: uPlot): void => {
    const stall = at(plot);
    told.textContent = stall === null ? "" : inWords(stall);
  };
  const plot = new uPlot(
    optionsOf(canvas, all, { draw: [(drawn) => paint(drawn, stalls)], setCursor: [tell] }),
    [
      stalls.map(({ startEpochMs }) => startEpochMs / 1000),
      stalls.map(({ durationMs }) => durationMs),
    ],
    canvas,
  );
  plot.setScale("x", all);
  plot.over.addEventListener("click", () => {
    const stall = at(plot);
    if (stall !== null) onPick(stall.incident);
  });
  canvas.addEventListener("keydown", (event) => {
    const range = moved(event.key, rangeOn(plot), all);
    if (range === null) return;
    event.preventDefault();
    plot.setScale("x", range);
  });
  new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: heightPx })).observe(
    canvas,
  );
}

const showAll = (plot: uPlot, all: Range) => (): null => {
  plot.setScale("x", all);
  return null;
};

function rangeOf({ fromEpochMs, toEpochMs }: PageData): Range {
  const span = Math.max((toEpochMs - fromEpochMs) / 1000, 1);
  return {
    min: fromEpochMs / 1000 - span * marginShare,
    max: toEpochMs / 1000 + span * marginShare,
  };
}

const rangeOn = (plot: uPlot): Range => ({
  min: plot.scales["x"]?.min ?? 0,
  max: plot.scales["x"]?.max ?? 1,
});

function optionsOf(canvas: HTMLElement, all: Range, hooks: uPlot.Hooks.Arrays): uPlot.Options {
  const style = getComputedStyle(canvas);
  const [ink, edge] = ["--ink", "--edge"].map((name) => style.getPropertyValue(name));
  const lines = { stroke: edge as string, width: 1 };
  const axis = { stroke: ink as string, grid: lines, ticks: lines };
  return {
    width: canvas.clientWidth,
    height: heightPx,
    hooks,
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false },
      bind: { dblclick: (plot) => showAll(plot, all) },
    },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, 1)] },
    },
    axes: [
      {
        ...axis,
        values: (_plot, ticks, _axis, _space, step) => ticks.map((at) => clock(at, step)),
      },
      { ...axis, size: 70, values: (_plot, ticks) => ticks.map((tick) => duration(tick)) },
    ],
    // The values are there for scales and cursor; the bars are painted by us.
    series: [{}, { paths: () => null, points: { show: false } }],
  };
}

/** No finer than the steps between them. */
function clock(atSeconds: number, stepSeconds: number): string {
  const digits = stepSeconds < 1 ? 12 : 8;
  return clockTime(atSeconds * 1000).slice(0, digits);
}

function paint(plot: uPlot, stalls: readonly TimelineStall[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { startEpochMs, durationMs, cause } of stalls) {
    const left = plot.valToPos(startEpochMs / 1000, "x", true);
    const right = plot.valToPos((startEpochMs + durationMs) / 1000, "x", true);
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    const top = plot.valToPos(durationMs, "y", true);
    const width = Math.max(right - left, barWidthMinPx * devicePixelRatio);
    ctx.fillStyle = causeColour(cause);
    ctx.fillRect(left, top, width, bbox.top + bbox.height - top);
  }
  ctx.restore();
}

/** The stall under the pointer or next to it, in CSS pixels from the chart's left edge. */
function nearest(
  plot: uPlot,
  stalls: readonly TimelineStall[],
  leftPx: number,
): TimelineStall | null {
  let best: TimelineStall | null = null;
  let bestPx = nearPx;
  for (const stall of stalls) {
    const fromPx = plot.valToPos(stall.startEpochMs / 1000, "x");
    const toPx = plot.valToPos((stall.startEpochMs + stall.durationMs) / 1000, "x");
    const awayPx = Math.max(fromPx - leftPx, leftPx - toPx, 0);
    if (awayPx >= bestPx) continue;
    best = stall;
    bestPx = awayPx;
  }
  return best;
}

const inWords = ({ startEpochMs, durationMs, cause }: TimelineStall): string =>
  `${clockTime(startEpochMs)}: ${duration(durationMs)}, ${cause}`;
