// Starts a server that cannot outlive the process that started it, not even when that one is killed
// with SIGKILL: a shell between the two holds the server's process id and reads a pipe that the kernel
// closes when we end. Jest gives its tests a copy of `process` whose "exit" never comes, so a
// listener would not do.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";

/** A server that was told to end and has not ended by then is killed. */
const graceMs = 5_000;

// 3 is our pipe, closed for the server itself. The second job ends the server when the pipe closes.
const guardScript = `
exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill "$server" 2>/dev/null; } & guard=$!
echo "$server"
wait "$server"; status=$?
kill "$guard" 2>/dev/null
exit "$status"
`;

export interface GuardedProcess {
  /** The server's own process id, not the shell's. */
  readonly pid: number;
  /** Resolves with the server's exit status (128 + signal number when a signal ended it). */
  readonly exited: Promise<number>;
  /** Sends SIGTERM, then SIGKILL after a grace; resolves when the server is gone. */
  stop(): Promise<void>;
}

/**
 * Starts `command` in the folder `cwd`, in a process group of its own, with what it writes to stderr in
 * `errorFile`. A command that cannot be started shows as exit status 126 or 127, as in any shell.
 */
export async function startGuarded(
  command: string,
  args: readonly string[],
  cwd: string,
  errorFile: string,
): Promise<GuardedProcess> {
  const errors = openSync(errorFile, "a");
  const shell = spawn("/bin/sh", ["-c", guardScript, "sh", command, ...args], {
    cwd,
    detached: true,
    stdio: ["pipe", "pipe", errors],
  });
  closeSync(errors);
  const exited = new Promise<number>((resolve) => {
    shell.once("exit", (code) => resolve(code ?? 1));
  });
  const pid = await firstNumber(shell);
  return { pid, exited, stop: () => stop(shell, pid, exited) };
}

async function firstNumber(shell: ChildProcess): Promise<number> {
  const { stdout } = shell;
  if (stdout === null) throw new Error("the guard shell has no standard output");
  const [chunk] = (await Promise.race([once(stdout, "data"), once(shell, "error")])) as [unknown];
  if (chunk instanceof Error) throw chunk;
  stdout.resume();
  const pid = Number.parseInt(String(chunk), 10);
  if (!Number.isInteger(pid)) throw new Error(`the guard shell said ${String(chunk)}`);
  return pid;
}

async function stop(shell: ChildProcess, pid: number, exited: Promise<number>): Promise<void> {
  shell.stdin?.end();
  const timer = setTimeout(() => kill(pid), graceMs);
  await exited;
  clearTimeout(timer);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended between the timer and the signal: what we wanted.
  }
}
