// A full collection of a large heap, asked for.

const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
const { program } = require("../../support/harness.cjs");

program({
  cause: "gc",
  lengthsMs: [1, 2],
  setup() {
    setFlagsFromString("--expose-gc");
    const kept = Array.from({ length: 3_000_000 }, (_, i) => ({ i, next: { i } }));
    return { collect: runInNewContext("gc"), kept };
  },
  block: (_size, { collect }) => collect(),
});
