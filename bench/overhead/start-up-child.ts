// Prints, as JSON, what it took until its first line and until it listens and is watched.

import { performance } from "node:perf_hooks";
import { threadCpuNs } from "./clocks";

const firstLineMs = performance.now();
const firstLineCpuNs = threadCpuNs();

// Loaded after the first line: what it costs belongs to the application.
const { createServer } = require("node:http") as typeof import("node:http");
/** The watchdog thread is launched when the loop first turns, at the latest. */
const upAfterMs = 300;

const server = createServer().listen(0, "127.0.0.1", () => {
  setTimeout(() => {
    const upCpuNs = threadCpuNs();
    process.stdout.write(
      JSON.stringify({
        firstLineMs,
        firstLineCpuMs: (firstLineCpuNs ?? Number.NaN) / 1e6,
        upCpuMs: (upCpuNs ?? Number.NaN) / 1e6,
      }),
      () => process.exit(),
    );
    server.close();
  }, upAfterMs);
});
