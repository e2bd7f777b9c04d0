// One script in two real processes, with our hooks and without: what it prints must be the same, up to
// the error that ends it.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Run {
  readonly code: number | null;
  readonly output: string;
}

export interface Differential {
  readonly plain: Run;
  readonly hooked: Run;
  /** Libraries that were hooked, and the number of records. */
  readonly hook: string;
}

/** `app` is CommonJS text that ends on its own; `args` are its arguments from `process.argv[2]` on. */
export async function runDifferential(
  app: string,
  args: readonly string[],
  nodeBinary = process.execPath,
): Promise<Differential> {
  const folder = mkdtempSync(join(tmpdir(), "loophound-differential-"));
  writeFileSync(join(folder, "preload.cjs"), preloadText);
  writeFileSync(join(folder, "app.cjs"), app);
  try {
    const plain = await run(folder, nodeBinary, ["app.cjs", ...args]);
    const hooked = await run(folder, nodeBinary, [
      "--require",
      "./preload.cjs",
      "app.cjs",
      ...args,
    ]);
    const hook = hookLine.exec(hooked.output)?.[0] ?? "";
    return { plain, hook, hooked: { ...hooked, output: hooked.output.replace(hookLine, "") } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hookLine = /^hook .*\n/m;

function run(cwd: string, nodeBinary: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(nodeBinary, [...args], { cwd }, (error, out, err) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, output: (out + err).replaceAll(cwd, "") });
    });
  });
}

/** This file runs as dist/test/support/run-differential.js. */
const agent = join(__dirname, "../../agent");
const preloadText = `
const { createLedger, ledgerWriter, headIndex } = require(${JSON.stringify(`${agent}/base/ledger.js`)});
const { faultCounts } = require(${JSON.stringify(`${agent}/base/guard.js`)});
const { createRegistry } = require(${JSON.stringify(`${agent}/instrument/registry.js`)});
const { installClients } = require(${JSON.stringify(`${agent}/instrument/install.js`)});
const buffer = createLedger();
const { hooked } = installClients({
  ledger: ledgerWriter(buffer),
  registry: createRegistry(() => {}),
  now: () => performance.now(),
  onFirstClient() {},
});
process.on("exit", () => {
  const records = new Float64Array(buffer, 0, 1)[headIndex];
  process._rawDebug("hook " + records + " records, " + faultCounts().size + " faults, " + hooked);
});`;
