// The heap grows by objects that stay: the collector may work more than the code does.

const { program } = require("../../support/harness.cjs");

const kept = [];

program({
  cause: "gc",
  lengthsMs: [600_000, 1_200_000, 2_000_000],
  block(count) {
    for (let i = 0; i < count; i += 1) kept.push({ i, list: [i, `${i}`, { i }] });
  },
});
