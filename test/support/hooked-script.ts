// Runs a script that uses a client library in a real process of its own, with our hooks and without:
// Node's own module loader, and real unhandled rejections.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ScriptRun {
  readonly code: number | null;
  /** What it printed, without the paths of its folder. */
  readonly output: string;
  /** What our preload said at exit: `hook <kind> <records> <open records> <libraries>`; null without it. */
  readonly hook: string | null;
}

export interface ScriptOptions {
  /** CommonJS. */
  readonly text: string;
  readonly args: readonly string[];
  readonly isHooked: boolean;
  readonly nodeBinary?: string;
}

export function runScript(options: ScriptOptions): Promise<ScriptRun> {
  const folder = mkdtempSync(join(tmpdir(), "loophound-script-"));
  writeFileSync(join(folder, "preload.cjs"), preloadText);
  writeFileSync(join(folder, "app.cjs"), options.text);
  const preload = options.isHooked ? ["--require", "./preload.cjs"] : [];
  const args = [...preload, "app.cjs", ...options.args];
  return new Promise((resolve) => {
    execFile(
      options.nodeBinary ?? process.execPath,
      args,
      { cwd: folder },
      (error, stdout, stderr) => {
        rmSync(folder, { recursive: true, force: true });
        const hook = /^hook .*$/m.exec(stderr)?.[0] ?? null;
        const output = (stdout + stderr).replace(/^hook .*\n/m, "").replaceAll(folder, "");
        resolve({ code: error === null ? 0 : Number(error.code), output, hook });
      },
    );
  });
}

/** This file runs as dist/test/support/hooked-script.js. */
const agent = join(__dirname, "../../agent");
const preloadText = `
const { createLedger, ledgerWriter, headIndex } = require(${JSON.stringify(`${agent}/base/ledger.js`)});
const { ledgerReader } = require(${JSON.stringify(`${agent}/base/ledger-reader.js`)});
const { createRegistry } = require(${JSON.stringify(`${agent}/instrument/registry.js`)});
const { installClients } = require(${JSON.stringify(`${agent}/instrument/install.js`)});
const buffer = createLedger();
const { hooked, moduleHookKind } = installClients({
  ledger: ledgerWriter(buffer),
  registry: createRegistry(() => {}),
  now: () => performance.now(),
  onFirstClient() {},
});
process.on("exit", () => {
  const records = new Float64Array(buffer, 0, 1)[headIndex];
  const open = ledgerReader(buffer).poll(() => {});
  process._rawDebug(["hook", moduleHookKind, records, open, ...hooked].join(" "));
});`;
