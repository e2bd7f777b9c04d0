// A loop in a module of ECMAScript.

import harness from "../../support/harness.cjs";

harness.program({ cause: "js-cpu", in: "countInModule", block: countInModule });

function countInModule(lengthMs) {
  const endMs = performance.now() + lengthMs;
  let count = 0;
  while (performance.now() < endMs) {
    // blocks
    count += Math.sqrt(count); // blocks
  }
  return count;
}
