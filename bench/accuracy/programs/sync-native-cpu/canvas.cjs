// @napi-rs/canvas encodes an image.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "skia.linux-x64-gnu.node",
  in: "encode",
  lengthsMs: [0, 0],
  setup(tools) {
    const canvas = tools.load("@napi-rs/canvas").createCanvas(2_600, 2_600);
    const context = canvas.getContext("2d");
    for (let i = 0; i < 3_000; i += 1) {
      context.fillStyle = `hsl(${i % 360} 60% 50%)`;
      context.fillRect((i * 7919) % 2_600, (i * 104_729) % 2_600, 60, 60);
    }
    return { canvas };
  },
  block: encode,
});

function encode(_size, world) {
  world.canvas.toBuffer("image/png"); // blocks
}
