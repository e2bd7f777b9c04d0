// classic-level reads and writes on the thread pool.

const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: async (tools) => {
    const { ClassicLevel } = tools.load("classic-level");
    const level = new ClassicLevel(tools.folder());
    await level.open();
    return { level };
  },
  async live(world) {
    for (let round = 0; round < 30; round += 1) {
      const keys = Array.from({ length: 200 }, (_, i) => `${round}:${i}`);
      await world.level.batch(keys.map((key) => ({ type: "put", key, value: "x".repeat(100) })));
      await world.level.getMany(keys);
    }
  },
});
