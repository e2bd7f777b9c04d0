// The package esbuild, asked to work synchronously, asks a worker thread and waits for it; the line is the application's.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-core-api",
  symbol: "Atomics.wait",
  syscall: "futex",
  in: "minify",
  lengthsMs: [0, 0],
  setup(tools) {
    const lines = Array.from({ length: 40_000 }, (_, i) => `export const f${i} = (a) => a + ${i};`);
    return { esbuild: tools.load("esbuild"), code: lines.join("\n") };
  },
  block: minify,
});

function minify(_lengthMs, { esbuild, code }) {
  esbuild.transformSync(code, { minify: true }); // blocks
}
