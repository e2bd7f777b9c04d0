// Files are written and read with promises.

const { readFile, writeFile } = require("node:fs/promises");
const { join } = require("node:path");
const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ folder: tools.folder() }),
  async live(world) {
    const path = join(world.folder, "file");
    for (let round = 0; round < 60; round += 1) {
      await writeFile(path, Buffer.alloc(2_000_000));
      await readFile(path);
    }
  },
});
