// Where things are. Everything that the set-up writes is under node_modules, dist, an example's build
// folder, or .loophound, and git ignores all four.

const { mkdirSync } = require("node:fs");
const { join, resolve } = require("node:path");

const root = resolve(__dirname, "..", "..");
const stateFolder = join(root, ".loophound");

/** A path inside the repository. */
const inRepository = (...parts) => join(root, ...parts);

/** A path inside .loophound, which is made when it is not there. */
function inState(...parts) {
  mkdirSync(join(stateFolder, ...parts.slice(0, -1)), { recursive: true });
  return join(stateFolder, ...parts);
}

module.exports = { root, inRepository, inState };
