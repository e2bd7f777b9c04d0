// The founding incident as RabbitMQ sees it: the loop is blocked, no heartbeat is sent, and the broker
// closes the connection. Held until the broker has done so; the innocent twin, held as long.

import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../e2e/support/page";
import { appPath, blamingTheApp, startWatched, type WatchedApp } from "../e2e/support/watched-app";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";

let server: RabbitServer;
beforeAll(async () => {
  server = await startRabbitServer();
});
afterAll(() => server.stop());

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(...args: readonly string[]): Promise<WatchedApp> {
  const env = { AMQP_URL: server.url("heartbeat=1") };
  const one = await startWatched(appPath("amqp-heartbeat.js"), { env, args });
  watched.push(one);
  return one;
}

const missedByClients = (): number =>
  server.log().split("missed heartbeats from client").length - 1;

test("a heartbeat missed because the loop was blocked is said in those words", async () => {
  const one = await start();
  const before = missedByClients();
  one.go.letGo();
  await eventually(() => (missedByClients() > before ? true : null), "the broker's complaint");
  one.hold.letGo();
  const incident = await one.app.waitForIncident(({ state }) => state === "closed");
  expect(incident).toMatchObject({
    cause: "sync-core-api",
    culprit: { site: { function: "readOnLoop" } },
  });
  const [told] = incident.evidence.filter(({ kind }) => kind === "amqp-heartbeat");
  expect(told).toMatchObject({ host: "127.0.0.1", port: server.port, heartbeatMs: 1_000 });
  expect(told?.says).toMatch(
    /^the loop was blocked for \S+ s; RabbitMQ's heartbeat at 127\.0\.0\.1:\d+ is 1 s: the broker .*; at least \d+ heartbeats were not sent because the loop was blocked; the connection ended \S+ ms after the loop turned again \(.+\)$/,
  );
  await one.app.waitForOutput(/connection lost/);
  const missed = await one.metric("loophound_amqp_heartbeats_missed_total", `:${server.port}"`);
  expect(missed).toBe(told?.["missed"]);
  expect(missed).toBeGreaterThan(1);
  expect(await one.metric("loophound_amqp_closed_total", 'what="connection"')).toBe(1);
  await one.app.waitForOutput(/ {2}heartbeat: the loop was blocked/);
});

test("a loop that waits as it should sends them, and nothing is said", async () => {
  const one = await start("async");
  const before = missedByClients();
  one.go.letGo();
  await eventually(async () => {
    const sent = await one.metric("loophound_command_duration_seconds_count", '"heartbeat"');
    return sent >= 6 ? true : null;
  }, "six heartbeats, which take three times the heartbeat");
  one.hold.letGo();
  await one.app.waitForOutput(/waited/);
  expect(blamingTheApp(one.app.incidents())).toEqual([]);
  expect(await one.metric("loophound_amqp_heartbeats_missed_total")).toBe(0);
  expect(missedByClients()).toBe(before);
});
