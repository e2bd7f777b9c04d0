// @node-rs/bcrypt, in Rust.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "bcrypt.linux-x64-gnu.node",
  in: "hashPassword",
  lengthsMs: [10, 11, 12],
  setup(tools) {
    return { bcrypt: tools.load("@node-rs/bcrypt") };
  },
  block: hashPassword,
});

function hashPassword(_size, world) {
  world.bcrypt.hashSync("a password", _size); // blocks
}
