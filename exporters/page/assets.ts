// The bundled script and style of the report, which the build lays beside this file.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PageAssets } from "./document";

/** Throws where the package was built without them. */
export function readPageAssets(): PageAssets {
  const read = (name: string): string => readFileSync(join(__dirname, name), "utf8");
  return { style: read("report.css"), script: read("report.js") };
}
