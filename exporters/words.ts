// An incident in plain words: a few lines for stderr. Pure. What is not known is said; nothing that
// the incident does not hold is added.

import { plainText } from "../agent/base/plain-text";
import type { Cause } from "../agent/model/cause";
import type { Blame, ChargedCommand, Culprit, Incident, Site } from "../agent/model/incident";

/** The longest advice fits; a line that wraps more often in a terminal is not read. */
const lineLengthMax = 480;
const nameLengthMax = 120;
/** More commands than this have the same story. */
const commandsShown = 3;
/** Facts shown besides the proof; all stand in the log. */
const factsShown = 2;

/** At most nine lines, each ended by a newline. */
export function inWords(incident: Incident): string {
  const lines = [
    `loophound: ${headline(incident)}${sureness(incident)}`,
    ...siteLine(incident.culprit),
    ...paidLine(incident),
    ...factLines(incident),
    ...(incident.advice === "" ? [] : [`  advice: ${incident.advice}`]),
  ];
  return lines.map((line) => `${plainText(line, lineLengthMax)}\n`).join("");
}

function headline(incident: Incident): string {
  if (incident.stall === null) return `${slowCommand(incident)}${whose(incident)}`;
  return `event loop${ofThread(incident)} blocked ${forHowLong(incident)}${whose(incident)}`;
}

const ofThread = ({ threadId }: Incident): string =>
  threadId === 0 ? "" : ` of worker thread ${threadId}`;

function forHowLong(incident: Incident): string {
  const longest = duration(incident.durationMs);
  if (incident.state === "open") return `for ${longest} so far`;
  if (incident.repeats <= 1) return longest;
  return `${incident.repeats} more times${spanOf(incident)}, longest ${longest},`;
}

/** From the first of them to the end of the last; nothing where not all are listed. */
function spanOf({ stalls, repeats }: Incident): string {
  if (stalls.length !== repeats) return "";
  const start = Math.min(...stalls.map(({ startEpochMs }) => startEpochMs));
  const end = Math.max(...stalls.map((stall) => stall.startEpochMs + stall.durationMs));
  return ` in ${duration(end - start)}`;
}

function slowCommand({ commands, durationMs, repeats, state }: Incident): string {
  const slowest = commands[0];
  const what = slowest === undefined ? "a command" : name(slowest.command);
  const where = slowest === undefined ? "" : serverOf(slowest);
  const again = repeats > 1 ? ` (longest of ${repeats} more)` : "";
  const took = state === "open" ? "has taken" : "took";
  return `${what} ${took} ${duration(slowest?.maxMs ?? durationMs)}${where}${again}`;
}

/** What held the loop, for each cause; "" where the cause has nobody. */
const culprits: Readonly<Record<Cause, (culprit: Culprit | null) => string>> = {
  "sync-native-io": (culprit) => ` by ${caller(culprit)}`,
  "sync-native-cpu": (culprit) => ` by ${caller(culprit)}, computing`,
  "sync-core-api": (culprit) => ` by ${caller(culprit)}`,
  "module-load": () => " by loading code (require or import)",
  "js-cpu": (culprit) => ` by JavaScript${within(culprit)}`,
  gc: () => " by garbage collection",
  "cpu-starved": () => ": the process was ready to run and got no CPU",
  "page-fault": () => ", waiting for memory to be read from disk",
  "process-stopped": () => ": the whole process stood still",
  "server-slow": () => ": the server was late",
  "network-slow": () => ": the network was late",
  "client-queue": () => ": it waited in its own client",
  "blocking-command": () => ": it was asked to wait",
  unknown: () => "; the evidence does not say by what",
};

const whose = ({ cause, culprit }: Incident): string => culprits[cause](culprit);

/** `syncredis.node (redisCommand > read) on 127.0.0.1:6379`, `fs.readSync (read) on /tmp/fifo` */
function caller(culprit: Culprit | null): string {
  if (culprit === null) return "something that could not be named";
  const { module, symbol, syscall, peer, target } = culprit;
  // What is Node's own says in its name where it belongs.
  const isOwnName = symbol !== null && (module === null || module.startsWith("node:"));
  const head = isOwnName ? symbol : module;
  const inside = [isOwnName ? null : symbol, syscall].filter((part) => part !== null).map(name);
  const on = peer === null ? target : address(peer.host, peer.port);
  return [
    head === null ? "a module that could not be named" : name(head),
    ...(inside.length === 0 ? [] : [`(${inside.join(" > ")})`]),
    ...(on === null ? [] : [`on ${name(on)}`]),
  ].join(" ");
}

function within(culprit: Culprit | null): string {
  if (culprit === null || culprit.symbol === null) return "";
  const from = culprit.module === null ? "" : ` of ${name(culprit.module)}`;
  return `, in ${name(culprit.symbol)}${from}`;
}

/** What holds a loop and where it was called, in a few words: `syncredis.node (read) on 10.0.0.5:6379 at /app/session.js:42:17`. */
export function culpritInWords(culprit: Culprit): string {
  const { site } = culprit;
  const where = site === null ? "" : ` at ${place(site)}`;
  return plainText(`${caller(culprit)}${where}`, lineLengthMax);
}

/** The cause by its name in the contract, and how far to trust it. */
function sureness({ cause, confidence }: Incident): string {
  return cause === "unknown" ? " [unknown]" : ` [${cause}, ${Math.round(confidence * 100)} % sure]`;
}

function siteLine(culprit: Culprit | null): readonly string[] {
  if (culprit === null) return [];
  return [culprit.site === null ? "  at: no one line can be named" : `  at ${place(culprit.site)}`];
}

/** As in a stack trace of V8, so that editors and terminals make it a link. */
function place({ function: caller, file, line, column }: Site): string {
  const position = [file, line, line === null ? null : column].filter((part) => part !== null);
  const where = position.join(":");
  return caller === null ? where : `${name(caller)} (${where})`;
}

/** Whose part of a command's time is told with it. */
const debtors: Readonly<Partial<Record<Cause, readonly [keyof Blame, string]>>> = {
  "server-slow": ["serverMs", "the server's"],
  "network-slow": ["networkMs", "the network's"],
  "client-queue": ["queueMs", "its own client's"],
};

function paidLine({ commands, cause }: Incident): readonly string[] {
  if (commands.length === 0) return [];
  const shown = commands.slice(0, commandsShown).map((command) => bill(command, cause));
  const more = commands.length - shown.length;
  return [`  paid by: ${shown.join(", ")}${more > 0 ? `, and ${more} more kinds` : ""}`];
}

function bill({ command, count, maxMs, blame }: ChargedCommand, cause: Cause): string {
  const [part, whose] = debtors[cause] ?? (["loopMs", "the loop's"] as const);
  return `${count} x ${name(command)} (max ${duration(maxMs)}, ${duration(blame[part])} of it ${whose})`;
}

/** Kinds of evidence that say what is missing rather than what was seen. */
const missingKinds: readonly string[] = ["missing", "not-explained"];
/** The first of them is told: what is unusual, and who is not to blame for it. */
const bystanderKind = "bystander";
const proofKind = "reply-waiting";
/** A consequence for a connection, worth a line of its own. */
const heartbeatKind = "amqp-heartbeat";

function factLines({ evidence, cause }: Incident): readonly string[] {
  const proof = evidence.find(({ kind }) => kind === proofKind);
  const heartbeat = evidence.find(({ kind }) => kind === heartbeatKind);
  const beside = evidence.find(({ kind }) => kind === bystanderKind);
  const apart = [proofKind, heartbeatKind, bystanderKind, ...missingKinds];
  const seen = evidence.filter(({ kind }) => !apart.includes(kind));
  const missing = evidence.filter(({ kind }) => missingKinds.includes(kind));
  const isUnknown = cause === "unknown";
  return [
    ...(proof === undefined ? [] : [`  proof: ${proof.says}`]),
    ...(heartbeat === undefined ? [] : [`  heartbeat: ${heartbeat.says}`]),
    ...seen.slice(0, isUnknown ? 1 : factsShown).map(({ says }) => `  seen: ${says}`),
    ...(beside === undefined ? [] : [`  ${beside.says}`]),
    ...(isUnknown ? missing.slice(0, factsShown).map(({ says }) => `  missing: ${says}`) : []),
  ];
}

const serverOf = ({ host, port }: ChargedCommand): string =>
  host === null || port === null ? "" : ` on ${name(address(host, port))}`;

const address = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

const name = (text: string): string => plainText(text, nameLengthMax);

function duration(lengthMs: number): string {
  if (lengthMs >= 1000) return `${(lengthMs / 1000).toFixed(1)} s`;
  return lengthMs >= 10 ? `${Math.round(lengthMs)} ms` : `${lengthMs.toFixed(1)} ms`;
}
