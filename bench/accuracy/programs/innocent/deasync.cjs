// deasync.sleep holds the caller, but turns the event loop inside: timers go on.

const { healthy, innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ deasync: tools.load("deasync") }),
  async live(world) {
    for (let call = 0; call < 3; call += 1) {
      // Not from within a timer: Node does not run other timers of the same delay then.
      await new Promise((resolve) => setImmediate(resolve));
      world.deasync.sleep(250);
      await healthy(50);
    }
  },
});
