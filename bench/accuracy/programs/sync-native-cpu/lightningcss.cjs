// lightningcss minifies a large style sheet.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "lightningcss.linux-x64-gnu.node",
  in: "minify",
  lengthsMs: [0, 0],
  setup(tools) {
    const rules = Array.from(
      { length: 30_000 },
      (_, i) =>
        `.a${i} > .b${i % 97} { margin: ${i % 13}px; color: #${(i % 4096).toString(16).padStart(3, "0")} }`,
    );
    return { css: tools.load("lightningcss"), code: Buffer.from(rules.join("\n")) };
  },
  block: minify,
});

function minify(_size, world) {
  world.css.transform({ filename: "a.css", code: world.code, minify: true }); // blocks
}
