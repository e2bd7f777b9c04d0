// The command `loophound`: its words and its exit codes.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { configOptions } from "../../agent/model/config";
import { type Environment, runApp } from "../support/run-app";
import { incident } from "../unit/exporters/incidents";

/** This file runs as dist/test/e2e/command.linux.test.js. */
const script = join(__dirname, "../../agent/cli.js");

async function loophound(args: readonly string[], env: Environment = {}) {
  const app = runApp({ script, args, agent: false, env: { LOOPHOUND_LOG: "", ...env } });
  const { code } = await app.exited;
  const [stdout, stderr] = [app.stdout(), app.stderr()];
  await app.stop();
  return { code, stdout, stderr };
}

test("self-check blocks a child process, finds the incident, and lists the evidence of this machine", async () => {
  const { code, stdout, stderr } = await loophound(["self-check"]);
  expect(stdout).toMatch(/^ok: the block was found and named: .*sync-core-api.*system call read/);
  expect(stdout).toMatch(/ {2}yes {2}system call \(task\/TID\/syscall\)/);
  expect([code, stderr]).toEqual([0, ""]);
});

test("self-check --json gives the incident and the sources to a program", async () => {
  const { code, stdout } = await loophound(["self-check", "--json"]);
  const { incident, isRight, sources } = JSON.parse(stdout);
  expect([code, isRight, incident.cause]).toEqual([0, true, "sync-core-api"]);
  expect(sources.length).toBeGreaterThan(0);
});

test("config shows every setting with the value in force", async () => {
  const { code, stdout } = await loophound(["config"], { LOOPHOUND_PORT: "8123" });
  for (const { env } of configOptions) expect(stdout).toContain(env);
  expect(stdout).toMatch(/LOOPHOUND_PORT +8123 +9749 /);
  expect(code).toBe(0);
});

test("config --json is the same for a program", async () => {
  const { stdout } = await loophound(["config", "--json"], { LOOPHOUND_STALL_MS: "30" });
  const rows = JSON.parse(stdout) as readonly Record<string, unknown>[];
  expect(rows.map(({ name }) => name)).toEqual(configOptions.map(({ env }) => env));
  expect(rows).toContainEqual(
    expect.objectContaining({ name: "LOOPHOUND_STALL_MS", value: 30, default: 20 }),
  );
});

test("config fails where a setting makes no sense, and names it", async () => {
  const { code, stdout, stderr } = await loophound(["config"], { LOOPHOUND_PORT: "many" });
  expect(stderr).toMatch(/^loophound: LOOPHOUND_PORT=many /);
  expect(stdout).toMatch(/LOOPHOUND_PORT +9749 /);
  expect(code).toBe(1);
});

describe("report", () => {
  const folder = mkdtempSync(join(tmpdir(), "loophound-report-"));
  const log = join(folder, "incidents.ndjson");
  afterAll(() => rmSync(folder, { recursive: true }));

  test("makes one page of a log, and names the lines that it leaves out", async () => {
    writeFileSync(log, `${JSON.stringify(incident({ id: "first" }))}\nnonsense\n`);
    const { code, stdout, stderr } = await loophound(["report", log]);
    const page = readFileSync(join(folder, "incidents.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>.*"id":"first"/s);
    expect(stderr).toContain("line 2 is not JSON");
    expect(stderr).toContain("1 incidents, 1 lines left out");
    expect([code, stdout]).toEqual([0, ""]);
  });

  test("writes where -o says", async () => {
    writeFileSync(log, JSON.stringify(incident()));
    const page = join(folder, "post-mortem.html");
    const { code } = await loophound(["report", log, "-o", page]);
    expect([code, existsSync(page)]).toEqual([0, true]);
  });

  test.each([
    ["a file that is not there", join(folder, "none.ndjson"), /cannot read .*ENOENT/],
    ["a file of another kind", __filename, /holds no incident: it takes what LOOPHOUND_LOG writes/],
  ])("refuses %s", async (_what, path, words) => {
    const { code, stderr } = await loophound(["report", path]);
    expect(stderr).toMatch(words);
    expect(code).toBe(1);
  });
});

test.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j shows what there is", async (args) => {
  const { code, stdout, stderr } = await loophound(args);
  for (const word of ["self-check", "config", "version", "--require loophound/register"])
    expect(stdout).toContain(word);
  expect([code, stderr]).toEqual([0, ""]);
});

test("a command's --help shows an example and does not run it", async () => {
  const { code, stdout } = await loophound(["self-check", "--help"]);
  expect(stdout).toContain("Example:");
  expect(stdout).not.toContain("evidence on this machine");
  expect(code).toBe(0);
});

test.each([["version"], ["--version"], ["-v"]])("%s tells the versions", async (word) => {
  const { code, stdout } = await loophound([word]);
  const { version } = require("../../../package.json") as { version: string };
  expect(stdout).toBe(
    `loophound ${version}, Node ${process.versions.node}, V8 ${process.versions.v8}\n`,
  );
  expect(code).toBe(0);
});

test.each([
  [["selfcheck"], /unknown command "selfcheck"/],
  [["__proto__"], /unknown command "__proto__"/],
  [["config", "--yaml"], /config does not take "--yaml"/],
  [["config", "json"], /config does not take "json"/],
  [["config", "--json=3"], /config takes --json without a value/],
  [["report"], /report needs more words/],
  [["report", "a", "b"], /report does not take "b"/],
  [["report", "a", "--output="], /report needs a value after --output/],
])("%j is refused with the commands that there are", async (args, words) => {
  const { code, stdout, stderr } = await loophound(args);
  expect(stderr).toMatch(words);
  expect(stderr).toContain("commands: report, alerts, dashboard, self-check, config, version");
  expect([code, stdout]).toEqual([2, ""]);
});
