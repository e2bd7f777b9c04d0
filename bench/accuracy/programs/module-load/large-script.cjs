// One very large script is required: most of it is reading and compiling.

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

program({
  cause: "module-load",
  in: "loadBundle",
  lengthsMs: [1],
  setup(tools) {
    const path = join(tools.folder(), "bundle.js");
    const body = (i) => `(function(){var a=${i};function f(b){return a+b}exports.f${i}=f})();`;
    writeFileSync(path, Array.from({ length: 120_000 }, (_, i) => body(i)).join("\n"));
    return { path };
  },
  block: loadBundle,
});

function loadBundle(_lengthMs, { path }) {
  require(path); // blocks
}
