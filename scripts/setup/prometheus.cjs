// Prometheus, promtool and Alertmanager: only for `npm test`, which loads the rules into private ones.

const { findProgram } = require("./commands.cjs");
const { withoutServices } = require("./no-services.cjs");
const { SetupError } = require("./setup-error.cjs");
const { installOnDebian, remedyFor } = require("./system-packages.cjs");

// As test/support/prometheus.ts looks for them; Debian gives Alertmanager another name than its makers.
const programs = [["prometheus"], ["promtool"], ["prometheus-alertmanager", "alertmanager"]];

/** Finds them, or installs them without starting any; rejects when one is missing in the end. */
async function preparePrometheus() {
  if (missing().length === 0) return;
  const complaint = await withoutServices("prometheus", () => installOnDebian(["prometheus"]));
  const [first] = missing();
  if (first === undefined) return;
  throw new SetupError(
    complaint ?? `there is no ${first} on this machine, and the tests of the alerts need one`,
    remedyFor(["prometheus"]),
  );
}

const missing = () =>
  programs
    .filter((names) => names.every((name) => findProgram(name) === null))
    .map((names) => names.at(-1));

module.exports = { preparePrometheus };
