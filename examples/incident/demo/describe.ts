// An incident of the NDJSON log as a block of words. The demo reads the log as any other reader would.

import { basename } from "node:path";
import type { ChargedCommand, Culprit, Incident } from "../../../agent/model/incident";

/** More commands than this share one cause anyway. */
const commandsShown = 3;
/** Where nobody is accused, the first facts say why. */
const factsShown = 3;

/** Several lines, without a trailing newline; a row whose fact is not known says so. */
export function describeIncident(incident: Incident): string {
  const { culprit } = incident;
  const rows: readonly Row[] =
    culprit === null
      ? [...paidRows(incident), ...factRows(incident)]
      : [...culpritRows(culprit), ...paidRows(incident), proofRow(incident)];
  return [titleOf(incident), ...rows.map(line)].join("\n");
}

function titleOf(incident: Incident): string {
  const length = milliseconds(incident.durationMs);
  const what = incident.stall === null ? `for ${length}` : `the loop stood still for ${length}`;
  return `  INCIDENT  ${incident.cause}, ${what}${times(incident)}`;
}

function paidRows({ commands }: Incident): Row[] {
  const worst = [...commands].sort((a, b) => b.maxMs - a.maxMs).slice(0, commandsShown);
  return worst.map((command, index) => [index === 0 ? "who paid" : "", bill(command)]);
}

function proofRow({ evidence }: Incident): Row {
  return ["proof", evidence.find(({ kind }) => kind === "reply-waiting")?.says ?? null];
}

const factRows = ({ evidence }: Incident): Row[] =>
  evidence.slice(0, factsShown).map(({ says }, index) => [index === 0 ? "because" : "", says]);

type Row = readonly [label: string, text: string | null];

const line = ([label, text]: Row) => `    ${label.padEnd(10)}${text ?? "not known"}`;

const milliseconds = (value: number) => `${Math.round(value)} ms`;

function times(incident: Incident): string {
  if (incident.state === "open") return " (and still does)";
  return incident.repeats > 1 ? ` (the longest of ${incident.repeats} like it)` : "";
}

function culpritRows(culprit: Culprit): Row[] {
  const { module, symbol, syscall, peer, site } = culprit;
  const inFunction = symbol === null ? "" : `, function ${symbol}`;
  const toPeer = peer === null ? "" : `, waiting for ${peer.host}:${peer.port}`;
  return [
    ["culprit", module === null ? null : `${module}${inFunction}`],
    ["syscall", syscall === null ? null : `${syscall}${toPeer}`],
    [
      "line",
      site === null
        ? null
        : `${site.function ?? "(anonymous)"} at ${basename(site.file)}:${site.line}`,
    ],
  ];
}

function bill({ client, command, count, maxMs, blame }: ChargedCommand): string {
  const parts = `of which the blocked loop ${milliseconds(blame.loopMs)}, Redis ${milliseconds(blame.serverMs)}`;
  return `${client} ${command} ${count} times, up to ${milliseconds(maxMs)}, ${parts}`;
}
