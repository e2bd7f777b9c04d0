// Charts on one time axis that moves on with the clock. Zooming one zooms all; a double-click or 0 lets
// them move on again.

import uPlot from "uplot";
import { element } from "./dom";
import { windowMs } from "./live-state";
import { clockTime, duration } from "./words";
import { moved, type Range } from "./zoom";

/** What is shown while nobody has zoomed. */
const followSeconds = 120;
/** A shorter drag is a click. */
const dragMinPx = 5;

export interface TimeCharts {
  readonly root: HTMLElement;
  /** A new chart, below the others. */
  add(title: string, height: number, options: Partial<uPlot.Options>): uPlot;
  /** All charts show the time up to `nowSeconds`, or where they were zoomed to. */
  moveTo(nowSeconds: number): void;
}

export function timeCharts(): TimeCharts {
  const root = element("div", { class: "charts" });
  const plots: uPlot[] = [];
  let zoomed: Range | null = null;
  let now = 0;

  const all = (): Range => ({ min: now - windowMs / 1000, max: now });
  const shown = (): Range => zoomed ?? { min: now - followSeconds, max: now };

  function show(range: Range | null): void {
    zoomed = range;
    for (const plot of plots) plot.setScale("x", shown());
  }

  return {
    root,
    add(title, height, options) {
      const canvas = element("div", {
        class: "chart",
        tabindex: 0,
        role: "img",
        "aria-label": title,
      });
      root.append(element("figure", {}, element("figcaption", {}, title), canvas));
      const plot = new uPlot({ ...base(canvas, height), ...options }, [[]], canvas);
      plots.push(plot);
      plot.over.addEventListener("dblclick", () => show(null));
      plot.over.addEventListener("mouseup", () => {
        const dragged = draggedOver(plot);
        if (dragged !== null) show(dragged);
      });
      canvas.addEventListener("keydown", (event) => {
        const range = moved(event.key, shown(), all());
        if (range === null) return;
        event.preventDefault();
        show(event.key === "0" ? null : range);
      });
      const fit = (): void => plot.setSize({ width: canvas.clientWidth, height });
      new ResizeObserver(fit).observe(canvas);
      return plot;
    },
    moveTo(nowSeconds) {
      now = nowSeconds;
      show(zoomed);
    },
  };
}

function draggedOver(plot: uPlot): Range | null {
  const { left, width } = plot.select;
  if (width < dragMinPx) return null;
  const range = { min: plot.posToVal(left, "x"), max: plot.posToVal(left + width, "x") };
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  return range;
}

function base(canvas: HTMLElement, height: number): uPlot.Options {
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name);
  const lines = { stroke: colour("--edge"), width: 1 };
  const axis = { stroke: colour("--ink"), grid: lines, ticks: lines };
  return {
    width: canvas.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: "time" } },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, 1)] },
    },
    axes: [
      { ...axis, values: (_plot, ticks) => ticks.map((at) => clockTime(at * 1000).slice(0, 8)) },
      { ...axis, size: 70, values: (_plot, ticks) => ticks.map((tick) => duration(tick)) },
    ],
    series: [{}],
  };
}
