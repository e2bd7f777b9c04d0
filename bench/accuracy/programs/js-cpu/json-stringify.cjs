// A large object becomes JSON.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  symbol: "JSON.stringify",
  in: "writeAll",
  lengthsMs: [0, 0],
  setup: () => ({
    rows: Array.from({ length: 700_000 }, (_, id) => ({
      id,
      name: `name ${id}`,
      tags: ["a", "b"],
    })),
  }),
  block: writeAll,
});

function writeAll(_size, { rows }) {
  return JSON.stringify(rows); // blocks
}
