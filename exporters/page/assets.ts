// The bundled scripts and the style of the pages, which the build lays beside this file.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PageAssets } from "./document";

/** Throws where the package was built without them. */
export function readPageAssets(page: "report" | "live"): PageAssets {
  const read = (name: string): string => readFileSync(join(__dirname, name), "utf8");
  return { style: read("page.css"), script: read(`${page}.js`) };
}
