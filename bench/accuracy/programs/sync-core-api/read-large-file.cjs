// A file of 400 MB is read from the page cache.

const { appendFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.readFileSync"),
  in: "readAll",
  lengthsMs: [0, 0],
  setup: (tools) => {
    const path = join(tools.folder(), "large");
    for (let part = 0; part < 4; part += 1) appendFileSync(path, Buffer.alloc(100 * 1024 * 1024));
    return { path };
  },
  block: readAll,
});

function readAll(_lengthMs, world) {
  readFileSync(world.path); // blocks
}
