// A FIFO that the test holds shut: whoever reads it waits until the test lets a byte through.

import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Gate {
  readonly path: string;
  /** Each character ends one wait. */
  letGo(bytes?: string): void;
  /** Lets everybody go for good: a reader finds the end of the file. */
  remove(): void;
}

/** Open from the start: an application that opens it for reading does not wait for a writer. */
export function createGate(): Gate {
  const directory = mkdtempSync(join(tmpdir(), "loophound-gate-"));
  const path = join(directory, "gate");
  execFileSync("mkfifo", [path]);
  // Also for an application that runs as somebody else.
  chmodSync(directory, 0o755);
  chmodSync(path, 0o666);
  // fifo(7): for reading and writing, an open never waits on Linux.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  let isOpen = true;
  return {
    path,
    letGo: (bytes = ".") => void writeSync(fd, bytes),
    remove() {
      if (isOpen) closeSync(fd);
      isOpen = false;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
