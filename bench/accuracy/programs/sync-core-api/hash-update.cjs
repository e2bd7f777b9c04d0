// A large buffer is hashed in one go.

const { createHash } = require("node:crypto");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("crypto.Hash.update"),
  in: "digest",
  lengthsMs: [0, 0],
  setup: () => ({ data: Buffer.alloc(160 * 1024 * 1024, 7) }),
  block: digest,
});

function digest(_lengthMs, world) {
  createHash("sha512").update(world.data); // blocks
}
