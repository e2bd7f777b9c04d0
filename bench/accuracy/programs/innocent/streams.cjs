// A large file is copied through a stream and hashed on the way.

const { createHash } = require("node:crypto");
const { createReadStream } = require("node:fs");
const { writeFile } = require("node:fs/promises");
const { join } = require("node:path");
const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ folder: tools.folder() }),
  async live(world) {
    const path = join(world.folder, "large");
    await writeFile(path, Buffer.alloc(100 * 1024 * 1024, 1));
    for (let round = 0; round < 3; round += 1) {
      const hash = createHash("sha1");
      for await (const chunk of createReadStream(path)) hash.update(chunk);
    }
  },
});
