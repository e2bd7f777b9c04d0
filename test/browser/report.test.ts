// The report in a real browser: what it shows is what the log holds.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { writeReport } from "../../agent/report";
import { openBrowser, openPage } from "../support/browser";
import { culprit, incident } from "../unit/exporters/incidents";

const folder = mkdtempSync(join(tmpdir(), "loophound-report-"));
const log = join(folder, "incidents.ndjson");
const html = join(folder, "incidents.html");
const address = pathToFileURL(html).href;
let browser: Browser;

const hostile = "</script><img src=x onerror=alert(1)>";
const incidents = [
  incident({ id: "first", durationMs: 312 }),
  incident({ id: "second", durationMs: 90, cause: "gc", culprit: null, commands: [] }),
  incident({ id: "third", durationMs: 1200, culprit: { ...culprit, symbol: hostile } }),
];

beforeAll(async () => {
  writeFileSync(log, incidents.map((one) => `${JSON.stringify(one)}\n`).join(""));
  expect(writeReport({ input: log, output: html })).toBe(0);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

test.each(["light", "dark"] as const)(
  "shows every incident, asks for nothing and complains of nothing, in %s",
  async (scheme) => {
    const { page, complaints } = await openPage(browser, address, scheme);
    await page.goto(address);
    expect(await page.locator("details.incident").count()).toBe(3);
    expect(await page.locator(".figures dd").first().textContent()).toBe("3");
    expect(await page.locator("canvas").count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  },
);

test("an incident opens to its evidence, who paid and its stacks", async () => {
  const { page, complaints } = await openPage(browser, address);
  await page.goto(address);
  await page.locator("#incident-first summary").click();
  const opened = page.locator("#incident-first");
  await opened.locator("pre").last().waitFor();
  expect(await opened.textContent()).toContain("the reply to EXPIRE lay unread in the kernel");
  expect(await opened.locator("pre").allTextContents()).toEqual([
    culprit.nativeStack.join("\n"),
    culprit.jsStack.join("\n"),
  ]);
  expect(complaints).toEqual([]);
  await page.close();
});

test("what an application calls its functions is text and nothing else", async () => {
  const { page, complaints } = await openPage(browser, address);
  await page.goto(address);
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.getByText(hostile, { exact: true }).count()).toBe(1);
  expect(complaints).toEqual([]);
  await page.close();
});

test("the timeline is told and moved by keys, and the tables can be scrolled by them", async () => {
  const { page, complaints } = await openPage(browser, address);
  await page.goto(address);
  const chart = page.locator(".chart");
  await chart.focus();
  const before = await page.locator("canvas").screenshot();
  await page.keyboard.press("+");
  await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(100); // uPlot draws in the next frame
  const after = await page.locator("canvas").screenshot();
  expect(after.equals(before)).toBe(false);
  await page.keyboard.press("0");
  await page.waitForTimeout(100);
  expect((await page.locator("canvas").screenshot()).equals(before)).toBe(true);
  const isReachable = await page
    .locator(".scroll")
    .evaluateAll((all) => all.every((one) => one.getAttribute("tabindex") === "0"));
  expect([isReachable, complaints]).toEqual([true, []]);
  await page.close();
});
