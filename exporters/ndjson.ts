// Incidents to a file, one JSON object a line (LOOPHOUND_LOG). Watchdog thread. A full disk, a
// missing directory or a FIFO that nobody reads costs lines, counted; it never makes us wait.

import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { guard } from "../agent/base/guard";
import { plainText } from "../agent/base/plain-text";
import type { Incident } from "../agent/model/incident";
import { type Ms, ms } from "../agent/model/units";
import type { Outlet } from "./outlet";

export interface NdjsonOptions {
  /** A relative one is taken from the directory in which the process is now. */
  readonly path: string;
  readonly nowMs: () => Ms;
  /** One line for people, without a newline. */
  readonly say: (text: string) => void;
  /** Called with the number of lines that could not be written. */
  readonly onDropped: (count: number) => void;
}

/** With the first line after this: is it still the same file, or can it be opened now. */
const lookAgainMs = ms(1000);
const pathShownMax = 200;

// O_NONBLOCK: opening a FIFO without a reader fails (ENXIO) instead of waiting, and writing to a full
// one fails (EAGAIN), see fifo(7) and pipe(7). O_APPEND: several processes may share one log. O_NOCTTY:
// a terminal named as the log does not become ours. Windows has none of the last two.
const openFlags =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  (constants.O_NONBLOCK ?? 0) |
  (constants.O_NOCTTY ?? 0);
/** Readable by log collectors; the umask of the process takes away what it wants to. */
const openMode = 0o644;

interface OpenLog {
  readonly fd: number;
  readonly identity: string;
}

/** Opens at once, so that a path that cannot work is told at the start and not at the first incident. */
export function createNdjson(options: NdjsonOptions): Outlet {
  const path = resolve(options.path);
  let log: OpenLog | null = null;
  let lookedMs = ms(Number.NEGATIVE_INFINITY);
  let hasComplained = false;
  let isTorn = false;

  function complain(error: unknown): void {
    if (hasComplained) return;
    hasComplained = true;
    const shown = plainText(path, pathShownMax);
    options.say(`incidents are not written to ${shown}: ${reasonOf(error)} (LOOPHOUND_LOG)`);
  }

  function open(): void {
    try {
      log = openLog(path);
    } catch (error) {
      complain(error);
    }
  }

  function close(): void {
    if (log !== null) closeSync(log.fd);
    log = null;
    isTorn = false;
  }

  function look(nowMs: Ms): void {
    if (nowMs - lookedMs < lookAgainMs) return;
    lookedMs = nowMs;
    if (log !== null && isMoved(path, log)) close();
    if (log === null) open();
  }

  /** A line of which only a part went out is ended before the next: its reader loses that one alone. */
  function write(fd: number, line: string): boolean {
    const bytes = Buffer.from(isTorn ? `\n${line}` : line);
    try {
      const written = writeSync(fd, bytes);
      isTorn = written < bytes.length && (isTorn || written > 0);
      return written === bytes.length;
    } catch (error) {
      // EAGAIN is a reader that is behind and not worth a word; ENOSPC, EPIPE and EIO are.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") complain(error);
      return false;
    }
  }

  const publish = (incident: Incident): boolean => {
    look(options.nowMs());
    return log !== null && write(log.fd, lineOf(incident));
  };

  guard("ndjson", () => look(options.nowMs()), undefined);
  return {
    publish(incident) {
      const isWritten = guard("ndjson", () => publish(incident), false);
      if (!isWritten) options.onDropped(1);
    },
    stop: () => guard("ndjson", close, undefined),
  };
}

const lineOf = (incident: Incident): string => `${JSON.stringify(incident)}\n`;

function openLog(path: string): OpenLog {
  const fd = openSync(path, openFlags, openMode);
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return { fd, identity: `${dev}:${ino}` };
}

/** True also if nothing is there: moved away, and not made anew. */
function isMoved(path: string, log: OpenLog): boolean {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined || `${stat.dev}:${stat.ino}` !== log.identity;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "its directory does not exist, and loophound does not make one",
  EACCES: "the user of this process may not write there",
  EPERM: "the user of this process may not write there",
  EISDIR: "it is a directory",
  EROFS: "its file system is read only",
  ENXIO: "it is a FIFO or socket that nobody reads; it is tried again",
  ENOSPC: "the disk is full; what does not fit is dropped",
  EDQUOT: "the disk quota is used up; what does not fit is dropped",
  EPIPE: "its reader is gone; it is tried again",
};

function reasonOf(error: unknown): string {
  const { code = "", message = "" } = error as NodeJS.ErrnoException;
  return reasons[code] ?? plainText(message, pathShownMax);
}
