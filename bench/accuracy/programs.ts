// The labelled programs: one file each, below a folder that is named for what they are about.

import { readdirSync } from "node:fs";
import { join } from "node:path";

/** This file runs as dist/bench/accuracy/programs.js; programs are run as they stand in the sources. */
export const suiteRoot = join(__dirname, "../../../bench/accuracy");

export interface Program {
  /** `<folder>/<file without its ending>`. */
  readonly name: string;
  readonly path: string;
}

/** Sorted by name. `only` are names, or beginnings of names; none means all. */
export function listPrograms(only: readonly string[] = []): readonly Program[] {
  const root = join(suiteRoot, "programs");
  return readdirSync(root)
    .flatMap((folder) => readdirSync(join(root, folder)).map((file) => join(folder, file)))
    .filter((file) => /\.[cm]js$/.test(file))
    .map((file) => ({ name: file.replace(/\.[cm]js$/, ""), path: join(root, file) }))
    .filter(({ name }) => only.length === 0 || only.some((wanted) => name.startsWith(wanted)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
