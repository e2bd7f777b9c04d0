// An asynchronous client waits for BLPOP, on purpose, and others do their work beside it.

const { healthy, innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ redis: tools.redis(), Redis: tools.load("ioredis") }),
  async live(world) {
    const { host, port } = world.redis;
    const waiting = new world.Redis({ host, port });
    const working = new world.Redis({ host, port });
    const popped = waiting.blpop("accuracy:nothing", 2);
    for (let round = 0; round < 60; round += 1) {
      await working.set("accuracy:key", round);
      await healthy(25);
    }
    await popped;
    waiting.disconnect();
    working.disconnect();
  },
});
