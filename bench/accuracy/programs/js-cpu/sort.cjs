// An array is sorted with a function of the application.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  lengthsMs: [200_000, 600_000],
  block: sortRows,
});

function sortRows(size) {
  const rows = Array.from({ length: size }, (_, i) => ({ key: (i * 2_654_435_761) % 1_000_003 })); // blocks
  rows.sort(byKey); // blocks
}

function byKey(a, b) {
  return a.key - b.key; // blocks
}
