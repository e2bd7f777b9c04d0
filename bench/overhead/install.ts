// The clients and OpenTelemetry packages of bench/package.json, into .loophound/bench, when they are needed.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientsFolder, repository } from "./paths";

const files = ["package.json", "package-lock.json"];

export function installClients(): void {
  const stamp = join(clientsFolder, "installed");
  const wanted = readFileSync(join(repository, "bench/package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(clientsFolder, { recursive: true });
  for (const file of files)
    copyFileSync(join(repository, "bench", file), join(clientsFolder, file));
  console.error("installing the packages of bench/package.json into .loophound/bench");
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: clientsFolder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  writeFileSync(stamp, wanted);
}
