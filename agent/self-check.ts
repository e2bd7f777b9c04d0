// `loophound self-check`: proves on the user's own machine or image that the agent is really on.
// It blocks a child process for 300 ms and looks for the incident, then asks every source of
// evidence whether it answers here.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeEvidence, type Source } from "./evidence-probe";
import type { Incident } from "./model/incident";

/** How long the child is held; six times what opens an incident. */
const holdMs = 300;
/** A safety rail: the child ends by itself after about 1.5 s. */
const giveUpMs = 15_000;

interface Outcome {
  readonly incident: Incident | null;
  readonly isRight: boolean;
  readonly sources: readonly Source[];
}

/** Returns 0 if the incident was found and named, else 1. */
export async function runSelfCheck(options: { readonly isJson: boolean }): Promise<number> {
  if (!options.isJson && process.stderr.isTTY) {
    process.stderr.write("blocking a child process on purpose, about three seconds ...\n");
  }
  const incident = await blockChild();
  const isRight = incident !== null && namesTheBlock(incident);
  const outcome: Outcome = { incident, isRight, sources: probeEvidence() };
  process.stdout.write(options.isJson ? `${JSON.stringify(outcome, null, 2)}\n` : inWords(outcome));
  return isRight ? 0 : 1;
}

const namesTheBlock = (incident: Incident): boolean =>
  incident.cause === "sync-core-api" && incident.culprit?.syscall === "read";

function blockChild(): Promise<Incident | null> {
  const directory = mkdtempSync(join(tmpdir(), "loophound-check-"));
  const log = join(directory, "incidents.ndjson");
  const child = spawn(
    process.execPath,
    ["--require", join(__dirname, "register.js"), join(__dirname, "self-check-child.js")],
    {
      stdio: ["pipe", "pipe", "ignore"],
      env: {
        ...process.env,
        LOOPHOUND_ENABLED: "on",
        LOOPHOUND_LOG: log,
        LOOPHOUND_PORT: "off",
        LOOPHOUND_STDERR: "off",
        LOOPHOUND_START_DELAY_MS: "0",
      },
    },
  );
  child.stdout.once("data", () => setTimeout(() => child.stdin.end("go on\n"), holdMs));
  const rail = setTimeout(() => child.kill("SIGKILL"), giveUpMs);
  return new Promise((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", () => {
      clearTimeout(rail);
      resolve(firstIncident(log));
      rmSync(directory, { recursive: true, force: true });
    });
  });
}

function firstIncident(log: string): Incident | null {
  try {
    const lines = readFileSync(log, "utf8").trim().split("\n");
    const incidents = lines.map((line) => JSON.parse(line) as Incident);
    return incidents.find(namesTheBlock) ?? incidents[0] ?? null;
  } catch {
    return null; // no log: nothing was found, which is what the caller reports
  }
}

function inWords({ incident, isRight, sources }: Outcome): string {
  const lines = [verdictLine(incident, isRight), "", "evidence on this machine:"];
  const width = Math.max(...sources.map((source) => source.name.length));
  for (const { name, gap } of sources) {
    lines.push(
      `  ${gap === null ? "yes" : "no "}  ${name.padEnd(width)}${gap === null ? "" : `  ${gap}`}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function verdictLine(incident: Incident | null, isRight: boolean): string {
  if (incident === null) return "FAILED: the child was blocked for 300 ms and no incident came.";
  const { culprit, cause, durationMs } = incident;
  const site = culprit?.site;
  const where = site == null ? "line not known" : `${site.function} at line ${site.line}`;
  const found = `${Math.round(durationMs)} ms, ${cause}, ${culprit?.symbol ?? "?"}, system call ${culprit?.syscall ?? "?"}, ${where}`;
  return `${isRight ? "ok: the block was found and named" : "FAILED: the block was found, but not named"}: ${found}`;
}
