// A folder with many files is removed.

const { rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.rmSync"),
  in: "removeAll",
  lengthsMs: [0],
  setup: (tools) => {
    const folder = tools.folder();
    for (let i = 0; i < 12_000; i += 1) writeFileSync(join(folder, `f${i}`), "x");
    return { folder };
  },
  block: removeAll,
});

function removeAll(_lengthMs, world) {
  rmSync(world.folder, { recursive: true }); // blocks
}
