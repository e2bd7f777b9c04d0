// An addon calls back into JavaScript, and that computes: not the addon's doing.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "calledBack",
  setup: (tools) => ({ work: tools.addon("work") }),
  block: (lengthMs, { work }) => work.callBack(() => calledBack(lengthMs)),
});

function calledBack(lengthMs) {
  const endMs = performance.now() + lengthMs;
  let count = 0;
  while (performance.now() < endMs) {
    // blocks
    count += Math.sqrt(count); // blocks
  }
  return count;
}
