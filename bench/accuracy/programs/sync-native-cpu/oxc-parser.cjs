// oxc-parser parses a large source.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "parser.linux-x64-gnu.node",
  in: "parse",
  lengthsMs: [0, 0],
  setup(tools) {
    const source = Array.from(
      { length: 60_000 },
      (_, i) => `export function f${i}(a, b) { return a * ${i} + b; }`,
    ).join("\n");
    return { oxc: tools.load("oxc-parser"), source };
  },
  block: parse,
});

function parse(_size, world) {
  world.oxc.parseSync("a.js", world.source); // blocks
}
