// Where the recorded /proc trees are, seen from the compiled tests.

import { join, resolve } from "node:path";
import { createProcRoot, type ProcRoot } from "../../../agent/kernel/proc-root";
import type { Result } from "../../../agent/model/result";

const FIXTURES = resolve(__dirname, "../../../../test/fixtures/proc");

/** Process and thread id in every recorded tree. */
export const TID = 4242;

export const fixturePath = (...names: string[]): string => join(FIXTURES, ...names);

export const recorded = (name: string): ProcRoot => createProcRoot(fixturePath(name));

/** The value, or a failed test that says why there is none. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`expected a value, got ${result.why}: ${result.detail}`);
  return result.value;
}

/** The reason, or a failed test that shows the value. */
export function whyOf(result: Result<unknown>): string {
  if (result.ok) throw new Error(`expected a failure, got ${JSON.stringify(result.value)}`);
  return result.why;
}
