// A folder with many files is copied.

const { cpSync, mkdirSync, writeFileSync } = require("node:fs");
const { basename, dirname, join } = require("node:path");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.cpSync"),
  in: "copyAll",
  lengthsMs: [0],
  setup: (tools) => {
    const folder = join(tools.folder(), "from");
    mkdirSync(folder);
    for (let i = 0; i < 4_000; i += 1) writeFileSync(join(folder, `f${i}`), "x");
    return { folder, target: join(folder, "..", "..", `${basename(dirname(folder))}-copy`) };
  },
  block: copyAll,
});

function copyAll(_lengthMs, world) {
  cpSync(world.folder, world.target, { recursive: true }); // blocks
}
