// @node-rs/argon2, with a memory cost that takes its time.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "argon2.linux-x64-gnu.node",
  in: "hashPassword",
  lengthsMs: [2, 6],
  setup(tools) {
    return { argon2: tools.load("@node-rs/argon2") };
  },
  block: hashPassword,
});

function hashPassword(_size, world) {
  world.argon2.hashSync("a password", { memoryCost: 65_536, timeCost: _size }); // blocks
}
