// Runs js-live-app.ts and gathers what it reports. Holds no test.

import { spawn } from "node:child_process";
import * as path from "node:path";
import { createInterface } from "node:readline";
import type { NodeVersion } from "../../support/node-versions";
import type { LiveReport } from "./js-live-app";

const app = path.join(__dirname, "js-live-app.js");

/** Each block is let go when it has been reported. `record`: the case whose memory is wanted, and the file for it. */
export async function reportsOf(
  { binary }: NodeVersion,
  flags: readonly string[],
  tier = "",
  record = { name: "", file: "" },
): Promise<LiveReport[]> {
  const child = spawn(binary, [...flags, app, tier], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], JS_LIVE_RECORD: record.name, JS_LIVE_FILE: record.file },
  });
  const reports: LiveReport[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const report = JSON.parse(line) as LiveReport;
      reports.push(report);
      if (report.way === "read") child.stdin.write("x");
    }
  } finally {
    child.kill("SIGKILL");
  }
  return reports;
}
