// A regular expression that backtracks without end.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  symbol: "RegExp.test",
  in: "checkName",
  lengthsMs: [25, 27],
  block: checkName,
});

function checkName(length) {
  return /^(\w+\s?)*$/.test(`${"a".repeat(length)}!`); // blocks
}
