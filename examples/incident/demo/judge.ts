// Did loophound name what was really there? The demo knows, because it built it: these are its questions.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Cause } from "../../../agent/model/cause";
import type { ChargedCommand, Incident } from "../../../agent/model/incident";

/** What the demo set up. */
export interface Truth {
  /** The addon that makes the call. */
  readonly module: string;
  readonly redisPort: number;
  /** The compiled file that makes the call, and its source; a verdict may name either. */
  readonly files: readonly string[];
}

export interface Check {
  readonly question: string;
  readonly ok: boolean;
  /** What the verdict says instead; "" when it is right. */
  readonly found: string;
}

/** Beside the line that blocks, in the source and, by the compiler, in its output. */
const marker = "// the call that blocks the loop";
const blockingCalls = ["read", "recvfrom", "poll", "ppoll"];
/** "Close to its latency": what is left is the network, Redis, and the parsing of earlier replies. */
const loopShareLeast = 0.8;

/** Causes that say the machine or the server, not the application, was late: on a busy machine they are simply true. */
const machineCauses: readonly Cause[] = [
  "cpu-starved",
  "process-stopped",
  "page-fault",
  "server-slow",
];

/** The incidents that put something down to the application. */
export const blamingTheApp = (incidents: readonly Incident[]): readonly Incident[] =>
  incidents.filter(({ cause }) => !machineCauses.includes(cause));

/** Asks everything that must be right about the run with the synchronous client. */
export function judge(incidents: readonly Incident[], truth: Truth): readonly Check[] {
  const verdict = heaviest(incidents);
  if (verdict === null) return [{ question: "it reported an incident", ok: false, found: "none" }];
  const { culprit } = verdict;
  const alike = incidents.filter((incident) => isAlike(incident, verdict));
  const expires = alike
    .flatMap(({ commands }) => commands)
    .filter(({ command }) => command === "EXPIRE");
  const proof = alike
    .flatMap(({ evidence }) => evidence)
    .some(({ kind }) => kind === "reply-waiting");
  const peer = culprit?.peer ?? null;
  return [
    check("the cause is sync-native-io", verdict.cause === "sync-native-io", verdict.cause),
    check(`the culprit is ${truth.module}`, culprit?.module === truth.module, culprit?.module),
    check(
      `the system call is one of ${blockingCalls.join(", ")}`,
      blockingCalls.includes(culprit?.syscall ?? ""),
      culprit?.syscall,
    ),
    check(
      `it waits for the private Redis on port ${truth.redisPort}`,
      peer?.host === "127.0.0.1" && peer.port === truth.redisPort,
      peer,
    ),
    check(
      "the line is the one that makes the call",
      isMarked(culprit?.site ?? null, truth),
      culprit?.site,
    ),
    check("EXPIRE paid, and nearly all of its time was the loop's", expires.some(isLoops), expires),
    check("a reply lay unread in the kernel meanwhile", proof, "no such evidence"),
  ];
}

function check(question: string, ok: boolean, found: unknown): Check {
  return { question, ok, found: ok ? "" : JSON.stringify(found ?? null) };
}

/** The verdict that stands for the most time: a run may have others, of less weight. */
function heaviest(incidents: readonly Incident[]): Incident | null {
  const weight = (incident: Incident) =>
    incidents
      .filter((other) => isAlike(other, incident))
      .reduce((sum, { durationMs, repeats }) => sum + durationMs * repeats, 0);
  return incidents.reduce<Incident | null>(
    (best, incident) => (best === null || weight(incident) > weight(best) ? incident : best),
    null,
  );
}

const isAlike = (a: Incident, b: Incident) =>
  a.cause === b.cause &&
  a.culprit?.module === b.culprit?.module &&
  a.culprit?.site?.line === b.culprit?.site?.line;

const isLoops = ({ maxMs, blame }: ChargedCommand) => blame.loopMs >= loopShareLeast * maxMs;

/** The site's own line in the file that it names carries the marker. */
function isMarked(site: { file: string; line: number | null } | null, truth: Truth): boolean {
  const file = truth.files.find((path) => basename(path) === basename(site?.file ?? ""));
  if (file === undefined || typeof site?.line !== "number") return false;
  return readFileSync(file, "utf8").split("\n")[site.line - 1]?.includes(marker) === true;
}
