// A real browser that is installed, without a window: for tests of what the project shows people.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const macPath = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** Nothing of it may look for the network: updates, sync, component lists. */
const flags = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** CHROMIUM_PATH, else a Chromium or Chrome on the PATH; null without any. */
export function findBrowser(): string | null {
  const named = process.env["CHROMIUM_PATH"];
  if (named !== undefined && named !== "") return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...candidates, macPath].find((path) => existsSync(path)) ?? null;
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === null) {
    throw new Error("no Chromium or Chrome found: set CHROMIUM_PATH to one, or install chromium");
  }
  // Chromium refuses its sandbox to root; the pages are our own.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args: [...flags, ...sandbox] });
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors of the page and of its console, and requests that left `origin`, a line each. */
  readonly complaints: readonly string[];
}

/** A page on which nothing may go wrong; `origin` is the beginning of every address it may ask for. */
export async function openPage(
  browser: Browser,
  origin: string,
  colorScheme: "light" | "dark" = "light",
): Promise<WatchedPage> {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()))
      complaints.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:")) complaints.push(`asked for ${url}`);
  });
  return { page, complaints };
}
