// A package of many small modules is required, when a route is first asked for.

const { mkdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

let tree = 0;

program({
  cause: "module-load",
  in: "loadAll",
  lengthsMs: [1_500, 4_000],
  setup: (tools) => ({ tools }),
  prepare(count, world) {
    tree += 1;
    const folder = join(world.tools.folder(), "node_modules", "routes");
    mkdirSync(folder, { recursive: true });
    const names = Array.from({ length: count }, (_, i) => `./m${i}.js`);
    for (const name of names)
      writeFileSync(join(folder, name), `module.exports = "${name}${tree}";`);
    world.index = join(folder, "index.js");
    writeFileSync(world.index, names.map((name) => `require("${name}");`).join("\n"));
  },
  block: loadAll,
});

function loadAll(_count, { index }) {
  require(index); // blocks
}
