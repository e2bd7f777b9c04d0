// The live charts: the loop's stalls, and under it each server's commands, mean latency in parts.

import uPlot from "uplot";
import type { LiveStall, TrafficSecond } from "../../live/live-data";
import { causeColour } from "./colours";
import type { LiveState } from "./live-state";
import { timeCharts } from "./time-charts";
import { count } from "./words";

const loopHeightPx = 130;
const serverHeightPx = 150;
const barWidthMinPx = 2;

export const latencyParts = [
  { name: "under way (network and server)", colour: "#3b62c4" },
  { name: "held by the client", colour: "#7a8f2a" },
  { name: "held by a blocked loop", colour: "#d55e00" },
] as const;

export interface LiveCharts {
  readonly root: HTMLElement;
  update(state: LiveState): void;
}

export function liveCharts(): LiveCharts {
  const charts = timeCharts();
  const servers = new Map<string, uPlot>();
  let loop: uPlot | null = null;
  let bars: readonly LiveStall[] = [];

  const loopChart = (): uPlot =>
    charts.add("Stalls of the event loop, by cause", loopHeightPx, {
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [(plot) => paintStalls(plot, bars)] },
    });

  const serverChart = (server: string): uPlot =>
    charts.add(`${server}: mean latency of a command, in parts`, serverHeightPx, {
      series: [{}, ...areas()],
    });

  return {
    root: charts.root,
    update(state) {
      const ongoing = ongoingOf(state);
      bars = ongoing === null ? state.stalls : [...state.stalls, ongoing];
      loop ??= loopChart();
      loop.setData(
        [bars.map(({ startEpochMs }) => startEpochMs / 1000), bars.map((bar) => bar.durationMs)],
        false,
      );
      for (const [server, seconds] of state.servers) {
        const plot = servers.get(server) ?? serverChart(server);
        servers.set(server, plot);
        plot.setData(stacked(seconds, state), false);
      }
      charts.moveTo(state.nowEpochMs / 1000);
    },
  };
}

/** The stall that goes on now, of any thread, as a bar that grows. */
function ongoingOf({ threads, nowEpochMs }: LiveState): LiveStall | null {
  const stalled = threads.find(({ status }) => status === "stalled");
  if (stalled === undefined) return null;
  const { threadId, cause, stalledForMs: durationMs } = stalled;
  return { startEpochMs: nowEpochMs - durationMs, durationMs, cause: cause ?? "unknown", threadId };
}

/** The largest behind: what each adds to the next is its part. */
function areas(): readonly uPlot.Series[] {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return latencyParts.toReversed().map(({ name, colour }) => ({
    label: name,
    stroke: colour,
    fill: colour,
    width: 1,
    points: { show: false },
    ...(paths === undefined ? {} : { paths }),
  }));
}

/** Sums of the parts, all, then without the loop's, then the time under way alone; gaps where no command was. */
function stacked(
  seconds: readonly TrafficSecond[],
  { monotonicEpochMs }: LiveState,
): uPlot.AlignedData {
  const times: number[] = [];
  const sums: (number | null)[][] = [[], [], []];
  const push = (second: number, values: readonly (number | null)[]): void => {
    times.push(second + monotonicEpochMs / 1000);
    for (const [part, value] of values.entries()) sums[part]?.push(value);
  };
  let previous: number | null = null;
  for (const { second, count: commands, inFlightMs, queueMs, loopMs } of seconds) {
    if (previous !== null && second > previous + 1) push(previous + 1, [null, null, null]);
    const mean = [inFlightMs + queueMs + loopMs, inFlightMs + queueMs, inFlightMs];
    push(
      second,
      mean.map((sum) => sum / commands),
    );
    previous = second;
  }
  if (previous !== null) push(previous + 1, [null, null, null]);
  return [times, ...sums] as uPlot.AlignedData;
}

function paintStalls(plot: uPlot, stalls: readonly LiveStall[]): void {
  const { ctx, bbox } = plot;
  const bottom = bbox.top + bbox.height;
  for (const { startEpochMs, durationMs, cause } of stalls) {
    const left = plot.valToPos(startEpochMs / 1000, "x", true);
    const right = plot.valToPos((startEpochMs + durationMs) / 1000, "x", true);
    const from = Math.max(left, bbox.left);
    const to = Math.min(Math.max(right, left + barWidthMinPx), bbox.left + bbox.width);
    if (to <= from) continue;
    const top = Math.max(plot.valToPos(durationMs, "y", true), bbox.top);
    ctx.fillStyle = causeColour(cause);
    ctx.fillRect(from, top, to - from, bottom - top);
  }
}

/** Commands a second over the last ten whole seconds. */
export function rateOf(seconds: readonly TrafficSecond[], nowSecond: number): string {
  const last = seconds.filter(({ second }) => second < nowSecond && second >= nowSecond - 10);
  return count(Math.round(last.reduce((sum, one) => sum + one.count, 0) / 10));
}
