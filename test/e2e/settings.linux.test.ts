// What the agent says of settings that make no sense, and that it says no more and does nothing else.

import { existsSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { type Environment, runApp } from "../support/run-app";
import { createGate } from "./support/gate";
import { appPath } from "./support/watched-app";

async function endingWith(env: Environment) {
  const app = runApp({ script: appPath("endings.js"), args: ["process.exitCode"], env });
  const exit = await app.exited;
  const [stdout, stderr] = [app.stdout(), app.stderr()];
  await app.stop();
  return { stdout, stderr, ...exit };
}

const own = "words on stderr\n";

test("an application without settings says only its own words", async () => {
  expect(await endingWith({})).toMatchObject({ stderr: own, code: 4 });
});

test.each([
  [
    "LOOPHOUND_PROT",
    "0",
    /^loophound: LOOPHOUND_PROT is not known: did you mean LOOPHOUND_PORT\?$/,
  ],
  [
    "LOOPHOUND_COLOUR",
    "red",
    /^loophound: LOOPHOUND_COLOUR is not known; known are LOOPHOUND_ENABLED, /,
  ],
  ["LOOPHOUND_PORT", "70000", /^loophound: LOOPHOUND_PORT=70000 .*a port from 0 to 65535, or off/],
  [
    "LOOPHOUND_STALL_MS",
    "soon",
    /^loophound: LOOPHOUND_STALL_MS=soon .*whole number from 5 to 60000/,
  ],
  ["LOOPHOUND_STDERR", "maybe", /^loophound: LOOPHOUND_STDERR=maybe .*on or off/],
  [
    "LOOPHOUND_HOST",
    "http://x",
    /^loophound: LOOPHOUND_HOST=http:\/\/x .*a host name or an IP address/,
  ],
])(
  "%s=%s is named in one line with what is accepted, and the application runs on",
  async (name, value, line) => {
    const bare = await endingWith({});
    const run = await endingWith({ [name]: value });
    const said = run.stderr.split("\n").filter((text) => text.startsWith("loophound:"));
    expect(said).toEqual([expect.stringMatching(line)]);
    expect({ ...run, stderr: run.stderr.replace(`${said[0]}\n`, "") }).toEqual(bare);
  },
);

test("LOOPHOUND_ENABLED=off does nothing at all", async () => {
  const gate = createGate();
  const log = `${gate.path}.ndjson`;
  const env = { LOOPHOUND_START_DELAY_MS: "0", LOOPHOUND_LOG: log };
  const on = await endingWith(env);
  expect([on.stderr, existsSync(log)]).toEqual([own, true]);
  const off = runApp({
    script: appPath("app-worker.js"),
    args: ["", gate.path],
    env: { LOOPHOUND_ENABLED: "off" },
  });
  await off.waitForOutput(/agent in the worker/);
  expect(off.stdout()).toContain("agent in the main thread: false");
  expect(off.stderr()).toBe("");
  await off.stop();
  gate.remove();
});
