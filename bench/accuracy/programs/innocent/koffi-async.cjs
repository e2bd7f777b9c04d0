// A sleeping function of a library is called through koffi, asynchronously.

const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => {
    const library = tools.load("koffi").load(tools.library("plain"));
    return { plainSleep: library.func("int plain_sleep(int ms)") };
  },
  async live(world) {
    for (let call = 0; call < 3; call += 1) {
      await new Promise((resolve, reject) =>
        world.plainSleep.async(300, (error, value) => (error ? reject(error) : resolve(value))),
      );
    }
  },
});
