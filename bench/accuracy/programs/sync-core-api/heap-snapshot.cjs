// A heap snapshot is written.

const { join } = require("node:path");
const { writeHeapSnapshot } = require("node:v8");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("v8.writeHeapSnapshot"),
  in: "snapshot",
  lengthsMs: [0],
  setup: (tools) => {
    const kept = Array.from({ length: 60_000 }, (_, i) => ({ i, text: `t${i}` }));
    return { kept, path: join(tools.folder(), "x.heapsnapshot") };
  },
  block: snapshot,
});

function snapshot(_lengthMs, world) {
  writeHeapSnapshot(world.path); // blocks
}
