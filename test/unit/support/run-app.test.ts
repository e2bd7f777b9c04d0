import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type AppOptions, type RunningApp, runApp } from "../../support/run-app";

const incident = (id: string) =>
  JSON.stringify({
    schema: "loophound.incident/1",
    id,
    state: "closed",
    cause: "js-cpu",
    commands: [],
    evidence: [],
  });

let folder = "";
const apps: RunningApp[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loophound-run-app-test-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop();
});

/** Runs this text as a script, without the agent unless the options say so. */
function start(code: string, options: Partial<AppOptions> = {}): RunningApp {
  const script = join(folder, `app-${apps.length}.cjs`);
  writeFileSync(script, code);
  const app = runApp({ script, agent: false, ...options });
  apps.push(app);
  return app;
}

const staysAlive = "setInterval(() => {}, 1000);";
const writeLog = (text: string) =>
  `require("node:fs").appendFileSync(process.env.LOOPHOUND_LOG, ${JSON.stringify(text)});`;

describe("runApp", () => {
  test("keeps what the process prints and how it ends", async () => {
    const app = start("console.log('out'); console.error('err'); process.exitCode = 3;");
    expect(await app.exited).toEqual({ code: 3, signal: null });
    expect([app.stdout(), app.stderr()]).toEqual(["out\n", "err\n"]);
  });

  test("passes a signal on and reports it", async () => {
    const app = start(`${staysAlive} console.log("ready");`);
    await app.waitForOutput(/ready/);
    app.kill("SIGTERM");
    expect(await app.exited).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("loads a preload before the script, and none when told so", async () => {
    const preload = join(folder, "preload.cjs");
    writeFileSync(preload, "globalThis.preloaded = true;");
    const code = "console.log(globalThis.preloaded === true);";
    const [under, without] = [start(code, { agent: preload }), start(code)];
    await Promise.all([under.exited, without.exited]);
    expect([under.stdout(), without.stdout()]).toEqual(["true\n", "false\n"]);
  });

  test("keeps the tester's own settings away from the process", async () => {
    process.env["LOOPHOUND_STALL_MS"] = "7";
    process.env["NODE_OPTIONS"] = "--no-warnings";
    try {
      const app = start("console.log(process.env.LOOPHOUND_STALL_MS, process.env.NODE_OPTIONS);");
      await app.exited;
      expect(app.stdout()).toBe("undefined undefined\n");
    } finally {
      delete process.env["LOOPHOUND_STALL_MS"];
      delete process.env["NODE_OPTIONS"];
    }
  });

  test("finds an incident that is written while it waits", async () => {
    const app = start(
      `setTimeout(() => { ${writeLog(`${incident("late")}\n`)} }, 100); ${staysAlive}`,
    );
    expect((await app.waitForIncident(({ id }) => id === "late")).cause).toBe("js-cpu");
  });

  test("reads on at a line that was only half there", async () => {
    const text = incident("halves");
    const [half, rest] = [text.slice(0, 20), `${text.slice(20)}\n`];
    const app = start(
      `process.on("SIGUSR2", () => { ${writeLog(rest)} }); ${staysAlive}
       ${writeLog(`${incident("first")}\n${half}`)} console.log("half");`,
    );
    await app.waitForOutput(/half/);
    expect(app.incidents().map(({ id }) => id)).toEqual(["first"]);
    app.kill("SIGUSR2");
    await app.waitForIncident(({ id }) => id === "halves");
    expect(app.incidents()).toHaveLength(2);
  });

  test("rejects, with the output, when the incident does not come", async () => {
    const app = start(`console.log("still here"); ${staysAlive}`);
    await app.waitForOutput(/still here/);
    await expect(app.waitForIncident(() => true, 50)).rejects.toThrow(/50 ms[\s\S]*still here/);
  });

  test("rejects at once when the process has ended without it", async () => {
    const app = start("console.error('gone wrong'); process.exitCode = 1;");
    await expect(app.waitForIncident(() => true)).rejects.toThrow(
      /until it ended[\s\S]*gone wrong/,
    );
    await expect(app.waitForOutput(/never/)).rejects.toThrow(/never/);
  });

  test("rejects a log that breaks the contract, and names the line", async () => {
    const app = start(
      `${writeLog(`${incident("good")}\n{"schema":"other/1"}\n`)} console.log("done");`,
    );
    await app.exited;
    expect(() => app.incidents()).toThrow(/:2: not loophound.incident\/1/);
  });

  test("rejects when there is no such node", async () => {
    const app = start("", { nodeBinary: join(folder, "no-such-node") });
    apps.pop();
    await expect(app.exited).rejects.toThrow(/ENOENT/);
  });
});
