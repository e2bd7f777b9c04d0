// bcrypt.hashSync: its cost is in the rounds.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "bcrypt.glibc.node",
  in: "hashPassword",
  lengthsMs: [10, 11, 12],
  setup(tools) {
    return { bcrypt: tools.load("bcrypt") };
  },
  block: hashPassword,
});

function hashPassword(_size, world) {
  world.bcrypt.hashSync("a password", _size); // blocks
}
