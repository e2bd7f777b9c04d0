// Keys are derived on the thread pool.

const { pbkdf2 } = require("node:crypto");
const { promisify } = require("node:util");
const { innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    for (let call = 0; call < 3; call += 1) {
      await promisify(pbkdf2)("password", "salt", 600_000, 64, "sha512");
    }
  },
});
