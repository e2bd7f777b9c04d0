// The agent started by its API, in an application of its own accord.

import { afterEach, expect, test } from "@jest/globals";
import type { Incident } from "../../agent/model/incident";
import { freePort } from "../support/free-port";
import { type AppOptions, type RunningApp, runApp } from "../support/run-app";
import { answering } from "./support/page";
import { appPath } from "./support/watched-app";

const apps: RunningApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop();
});

async function use(way: string, options: Partial<AppOptions> = {}) {
  const port = await freePort();
  const env = { PORT: `${port}`, ...options.env };
  const app = runApp({
    script: appPath("uses-api.js"),
    args: [way],
    agent: false,
    ...options,
    env,
  });
  apps.push(app);
  return { app, port };
}

const told = (app: RunningApp) =>
  app
    .stdout()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("start() watches and serves with its options, and a second call returns the same agent", async () => {
  const { app, port } = await use("start");
  await answering(port, app.pid);
  expect(told(app)).toEqual([
    { isSame: true, config: expect.objectContaining({ port, stderr: false, incidentMs: 100 }) },
  ]);
});

test("start() under the preload returns the preload's agent", async () => {
  const { app } = await use("register", { agent: true });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(told(app)).toEqual([{ isSame: true }]);
});

test("bad options are named on stderr, one line each, and their defaults used", async () => {
  const { app } = await use("bad");
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(app.stderr().trim().split("\n")).toEqual([
    expect.stringMatching(/^loophound: option port=many .*a port from 0 to 65535/),
    expect.stringMatching(/^loophound: option stallMs=-1 .*a whole number from 5 to 60000/),
    expect.stringMatching(/^loophound: option colour is not known/),
  ]);
  expect(told(app)).toEqual([{ config: expect.objectContaining({ stallMs: 20 }) }]);
});

test("start() with enabled: false gives nothing", async () => {
  const { app } = await use("off");
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect([told(app), app.stderr()]).toEqual([[{ agent: null }], ""]);
});

test("onIncident() calls its listener on the application's thread until it is taken back, and survives its faults", async () => {
  const { app } = await use("onIncident");
  expect(await app.exited).toEqual({ code: 0, signal: null });
  const [first, ...others] = told(app);
  expect(others).toEqual([]);
  const incident = first?.["incident"] as Incident;
  expect(incident).toMatchObject({ schema: "loophound.incident/1", pid: app.pid });
  expect(app.incidents().map(({ id }) => id)).toContain(incident.id);
});

test("stop() ends the watchdog thread, and the agent can be started anew", async () => {
  const { app } = await use("stop");
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(told(app)).toEqual([{ isGone: true, isNew: true }]);
});
