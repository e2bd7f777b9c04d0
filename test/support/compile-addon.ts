// Compiles a fixture addon of one C file. Node-API is stable between Node versions: one file serves all.

import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** This file runs as dist/test/support/compile-addon.js. */
const root = join(__dirname, "../../..");

/** Returns the path of `<name>.node`, in a new folder under the temporary one; throws without a C compiler. */
export function compileAddon(
  source: string,
  name: string,
  defines: readonly string[] = [],
): string {
  const output = join(mkdtempSync(join(tmpdir(), "loophound-addon-")), `${name}.node`);
  execFileSync(process.env["CC"] ?? "cc", [
    "-O2",
    "-shared",
    "-fPIC",
    "-Wall",
    "-Werror",
    ...defines.map((define) => `-D${define}`),
    `-I${join(root, "node_modules/node-api-headers/include")}`,
    join(root, "test/fixtures/addons", basename(source)),
    "-o",
    output,
  ]);
  return output;
}
