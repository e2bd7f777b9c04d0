// A process that has nothing to do for twelve seconds.

const { setTimeout: sleep } = require("node:timers/promises");
const { innocent } = require("../../support/harness.cjs");

innocent({ isIdle: true, live: () => sleep(12_000) });
