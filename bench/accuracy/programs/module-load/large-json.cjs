// A large JSON file is required.

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

program({
  cause: "module-load",
  in: "loadData",
  lengthsMs: [1],
  setup(tools) {
    const path = join(tools.folder(), "data.json");
    const row = JSON.stringify({ id: 1, name: "a name", tags: ["a", "b", "c"], nested: { a: 1 } });
    writeFileSync(path, `[${Array(250_000).fill(row).join(",")}]`);
    return { path };
  },
  block: loadData,
});

function loadData(_lengthMs, { path }) {
  require(path); // blocks
}
