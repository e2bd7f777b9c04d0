// A browser that is installed: only for `npm test`, which looks at the pages with it. It gets a profile
// of its own that is thrown away.

const { existsSync } = require("node:fs");
const { findProgram, isProgram } = require("./commands.cjs");
const { SetupError } = require("./setup-error.cjs");
const { installOnDebian, remedyFor } = require("./system-packages.cjs");

// As test/support/browser.ts looks for it.
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const macPath = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** Finds Chromium or Chrome, or installs it; rejects when there is none in the end. */
async function prepareBrowser() {
  if (hasBrowser()) return;
  const complaint = await installOnDebian(["browser"]);
  if (hasBrowser()) return;
  throw new SetupError(
    complaint ??
      "there is no Chromium or Chrome on this machine, and the tests of the pages need one",
    `${remedyFor(["browser"])}; or set CHROMIUM_PATH=/path/to/chromium`,
  );
}

function hasBrowser() {
  const named = process.env.CHROMIUM_PATH ?? "";
  if (named === "") return names.some((name) => findProgram(name) !== null) || existsSync(macPath);
  if (isProgram(named)) return true;
  throw new SetupError(
    `CHROMIUM_PATH=${named} is not a program`,
    "name a Chromium or Chrome, or unset it",
  );
}

module.exports = { prepareBrowser };
