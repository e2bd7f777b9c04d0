// A command is run and awaited.

const { execFile } = require("node:child_process");
const { promisify } = require("node:util");
const { innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    for (let call = 0; call < 4; call += 1) await promisify(execFile)("sleep", ["0.3"]);
  },
});
