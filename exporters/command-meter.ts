// The one busy path of the metrics: every settled command passes here, by numbers. The names behind
// them are asked for once and kept. Watchdog thread.

import type { Histogram } from "../agent/base/histogram";
import type { LedgerEntry } from "../agent/base/ledger-reader";
import type { Ms } from "../agent/model/units";
import type { SeriesSet } from "./series";

export interface CommandLabels {
  readonly client: string;
  readonly command: string;
  /** `host:port`, or a Unix socket's path. */
  readonly server: string;
}

export type CommandNumbers = Pick<LedgerEntry, "commandId" | "connectionId">;

/**
 * The names behind a record's numbers; null while they are not known (the message with them is still
 * on its way), and then the command counts under `unknown`.
 */
export type ResolveCommand = (entry: CommandNumbers) => CommandLabels | null;

export interface CommandMeter {
  /** One settled command. A Map look-up and a bucket: made for 200,000 a second. */
  observe(entry: CommandNumbers, durationMs: Ms): void;
}

/**
 * Pairs of command and connection remembered; each costs some 100 bytes. More happen where a pool
 * opens and closes connections all day: then it starts anew, which only costs the look-ups.
 */
const pairsMax = 8192;
/** Command ids are 16 bits in the ledger. */
const commandIds = 65_536;

const unknown: CommandLabels = { client: "unknown", command: "unknown", server: "unknown" };

export function createCommandMeter(
  durations: SeriesSet<Histogram>,
  resolve: ResolveCommand,
): CommandMeter {
  const histograms = new Map<number, Histogram>();

  const seriesOf = ({ client, command, server }: CommandLabels): Histogram =>
    durations.at(client, command, server);

  function remember(pair: number, labels: CommandLabels): Histogram {
    if (histograms.size >= pairsMax) histograms.clear();
    const histogram = seriesOf(labels);
    histograms.set(pair, histogram);
    return histogram;
  }

  return {
    observe(entry, durationMs) {
      const pair = entry.connectionId * commandIds + entry.commandId;
      let histogram = histograms.get(pair);
      if (histogram === undefined) {
        const labels = resolve(entry);
        // Not remembered while unknown: the names may arrive with the next message.
        histogram = labels === null ? seriesOf(unknown) : remember(pair, labels);
      }
      histogram.observe(durationMs / 1000);
    },
  };
}
