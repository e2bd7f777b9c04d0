// Code that was made at run time.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  block: runRules,
});

const loop = new Function(
  "lengthMs",
  "const end = performance.now() + lengthMs; while (performance.now() < end);",
);

function runRules(lengthMs) {
  loop(lengthMs); // blocks
}
