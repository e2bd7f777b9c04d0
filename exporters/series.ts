// The label sets of one metric, capped: the first so many have a series each, all later ones share
// one. Watchdog thread. Label values come from the application's names, so they are made safe here.

import { plainText } from "../agent/base/plain-text";
import { type MetricDefinition, otherLabel } from "../agent/model/catalogue";

/** A path with its line fits; a generated name of kilobytes does not. */
const labelLengthMax = 160;

export type Labels = Readonly<Record<string, string>>;

export interface Series<State> {
  readonly labels: Labels;
  readonly state: State;
}

export interface SeriesSet<State> {
  /** The state for these label values, in the order of the definition; made when new. */
  at(...values: readonly string[]): State;
  /** Forgets all series whose label has this value. */
  drop(label: string, value: string): void;
  all(): readonly Series<State>[];
}

export function createSeriesSet<State>(
  definition: MetricDefinition,
  make: () => State,
): SeriesSet<State> {
  const byKey = new Map<string, Series<State>>();
  const otherValues = definition.labels.map(() => otherLabel);

  function seriesOf(values: readonly string[]): Series<State> {
    const key = keyOf(values);
    const found = byKey.get(key);
    if (found !== undefined) return found;
    // Names of the application that happen to be `other` land in that series too: never two alike.
    const isRefused = byKey.size >= definition.seriesMax && key !== keyOf(otherValues);
    if (isRefused) return seriesOf(otherValues);
    const labels = definition.labels.map((label, i) => [label, values[i] ?? ""] as const);
    const series = { labels: Object.fromEntries(labels), state: make() };
    byKey.set(key, series);
    return series;
  }

  return {
    at: (...values) => seriesOf(values.map((value) => plainText(value, labelLengthMax))).state,
    drop(label, value) {
      for (const [key, { labels }] of byKey) if (labels[label] === value) byKey.delete(key);
    },
    all: () => [...byKey.values()],
  };
}

/** Safe values hold no control character, so that a newline parts them. */
const keyOf = (values: readonly string[]): string => values.join("\n");
