// The recorded /proc trees, laid out as the kernel has them. In the repository a link is a plain file
// that holds the link's target: not every archive, file system or way of cloning keeps symbolic links.

import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll } from "@jest/globals";
import { createProcRoot, type ProcRoot } from "../../../agent/kernel/proc-root";
import type { Result } from "../../../agent/model/result";

const FIXTURES = resolve(__dirname, "../../../../test/fixtures/proc");

/** Process and thread id in every recorded tree. */
export const TID = 4242;

let laidOut: string | null = null;

afterAll(() => {
  if (laidOut !== null) rmSync(laidOut, { recursive: true, force: true });
});

function layOut(): string {
  const folder = mkdtempSync(join(tmpdir(), "loophound-proc-"));
  copyTree(FIXTURES, folder);
  return folder;
}

function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) copyTree(source, target);
    else if (isLink(from, entry.name)) symlinkSync(readFileSync(source, "utf8"), target);
    else copyFileSync(source, target);
  }
}

/** proc_self(5), proc_thread-self(5), proc_pid_fd(5): the links among what was recorded. */
const isLink = (folder: string, name: string): boolean =>
  name === "self" || name === "thread-self" || basename(folder) === "fd";

export function fixturePath(...names: string[]): string {
  laidOut ??= layOut();
  return join(laidOut, ...names);
}

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
