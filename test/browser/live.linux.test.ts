// The live page in a real browser, in the middle of a held stall and after it. Real redis-server, real addon.

import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { Browser, Page } from "playwright-core";
import { appPath, blockingLine, startWatched, type WatchedApp } from "../e2e/support/watched-app";
import { openBrowser, openPage, type WatchedPage } from "../support/browser";
import { type RedisServer, startRedisServer } from "../support/redis-server";

const script = appPath("redis-lock.js");
let browser: Browser;
let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startRedisServer();
  redis = new Redis({ host: server.host, port: server.port });
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await browser.close();
});

const watched: WatchedApp[] = [];
const pages: WatchedPage[] = [];
afterEach(async () => {
  for (const { page } of pages.splice(0)) await page.close();
  for (const one of watched.splice(0)) await one.stop();
});

async function start(): Promise<{ watch: WatchedApp; page: Page; complaints: readonly string[] }> {
  const watch = await startWatched(script, {
    args: ["sync"],
    env: { REDIS_PORT: `${server.port}` },
  });
  watched.push(watch);
  const origin = `http://127.0.0.1:${watch.port}/`;
  const opened = await openPage(browser, origin);
  pages.push(opened);
  await opened.page.goto(origin);
  return { watch, ...opened };
}

const status = (page: Page): Promise<string | null> => page.locator(".status").textContent();
const clock = (page: Page): Promise<string | null> => page.locator("#made").textContent();

/** The clock's text once it is another. */
async function nextClock(page: Page, before: string | null): Promise<string | null> {
  await page
    .locator("#made")
    .filter({ hasNotText: before ?? "" })
    .waitFor();
  return clock(page);
}

test("a stall is shown while it goes on, with what holds the loop, and the clock goes on", async () => {
  const { watch, page, complaints } = await start();
  await page.getByText("The event loop turns").waitFor();
  watch.go.letGo();
  await watch.stalledFor(300);
  await page.locator(".status.stalled").waitFor();
  await page.locator(".status code").waitFor();
  const first = await clock(page);
  const second = await nextClock(page, first);
  const third = await nextClock(page, second);
  expect(new Set([first, second, third]).size).toBe(3);
  const words = await status(page);
  expect(words).toContain("sync-native-io");
  expect(words).toContain("syncredis.node");
  expect(words).toContain(`127.0.0.1:${server.port}`);
  expect(words).toContain(`redis-lock.js:${blockingLine(script)}`);
  // The application has not moved: all of this was shown while it was blocked.
  expect(watch.app.stdout()).not.toContain("prolonged");
  await redis.rpush("lock", "token");
  await page.getByText("The event loop turns").waitFor();
  expect(complaints).toEqual([]);
});

test("an incident that is over stands in the list and in the tables as it stands in the log", async () => {
  const { watch, page, complaints } = await start();
  watch.go.letGo();
  await watch.stalledFor(200);
  await redis.rpush("lock", "token");
  const incident = await watch.app.waitForIncident(({ state }) => state === "closed");
  const item = page.locator(`[id="incident-${incident.id}"]`);
  await item.locator("summary").click();
  await item.locator("pre").last().waitFor();
  const text = await item.textContent();
  expect(text).toContain(`${Math.round(incident.durationMs)} ms`);
  for (const { says } of incident.evidence) expect(text).toContain(says);
  expect(await item.locator("pre").allTextContents()).toEqual([
    incident.culprit?.nativeStack.join("\n"),
    incident.culprit?.jsStack.join("\n"),
  ]);
  const tables = await page.locator("table").allTextContents();
  expect(tables.join()).toContain("syncredis.node");
  expect(tables.join()).toContain("EXPIRE");
  expect(await page.locator("canvas").count()).toBe(2);
  expect(complaints).toEqual([]);
});

test("a page whose process has ended says so", async () => {
  const { watch, page } = await start();
  await page.getByText("The event loop turns").waitFor();
  await watch.app.stop();
  await page.getByText("the process has ended, or cannot be reached").waitFor();
});
