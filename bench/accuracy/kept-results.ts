// Results on disk, one file each, so that a run that was broken off can go on and a report needs no run.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Result } from "./score";

/** This file runs as dist/bench/accuracy/kept-results.js. */
const folderOf = (agentName: string) =>
  join(__dirname, "../../../.loophound/accuracy/results", agentName);

export interface KeptResults {
  read(program: string, node: string, round: number): Result | null;
  write(result: Result, round: number): void;
  forget(program: string, node: string, round: number): void;
}

export function keptResults(agentName: string): KeptResults {
  const fileOf = (program: string, node: string, round: number) =>
    join(folderOf(agentName), node, `${program}.${round}.json`);
  return {
    read(program, node, round) {
      const file = fileOf(program, node, round);
      return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Result) : null;
    },
    write(result, round) {
      const file = fileOf(result.program, result.node, round);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(result));
    },
    forget(program, node, round) {
      rmSync(fileOf(program, node, round), { force: true });
    },
  };
}
