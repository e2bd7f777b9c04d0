// A library's function, called through koffi, sleeps.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "koffi.node",
  symbol: "plain_sleep",
  syscall: ["nanosleep", "clock_nanosleep"],
  in: "sleepByFfi",
  setup(tools) {
    const library = tools.load("koffi").load(tools.library("plain"));
    return { plainSleep: library.func("int plain_sleep(int ms)") };
  },
  block: sleepByFfi,
});

function sleepByFfi(lengthMs, { plainSleep }) {
  plainSleep(lengthMs); // blocks
}
