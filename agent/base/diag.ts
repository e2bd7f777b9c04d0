// The agent's own words on stderr, from both threads: written with fs.writeSync, for a worker's
// process.stderr goes through the application thread and stays silent during a stall. A write must
// never wait for a reader: that would hang the watchdog, and with it the end of the process.

import { type BigIntStats, closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

const stderrFd = 2;
/** pipe(7): up to PIPE_BUF bytes are written whole or not at all. */
const textBytesMax = 4096;

export interface Stderr {
  /** Writes at once or drops; false when it was dropped. Cut at 4096 bytes. Never throws, never waits. */
  write(text: string): boolean;
  /** Texts dropped so far: nobody reads, or stderr is closed. */
  dropped(): number;
}

/**
 * Remembers what stderr is now, and writes only while descriptor 2 still is that: once the
 * application has closed it, the number may belong to one of its own files.
 */
export function createStderr(): Stderr {
  const known = statOfStderr();
  let drops = 0;
  return {
    write(text) {
      const current = statOfStderr();
      const isSame =
        known !== null &&
        current !== null &&
        current.dev === known.dev &&
        current.ino === known.ino;
      const isWritten = isSame && writeTo(current, cut(text));
      if (!isWritten) drops++;
      return isWritten;
    },
    dropped: () => drops,
  };
}

function statOfStderr(): BigIntStats | null {
  try {
    return fstatSync(stderrFd, { bigint: true });
  } catch {
    // EBADF: closed. Then there is nothing to write to.
    return null;
  }
}

/**
 * A pipe or terminal that is full makes a plain write wait, and O_NONBLOCK set on descriptor 2 would
 * hold for the application too, which shares the open file description (open(2)). So these get a
 * description of our own, for one write: proc_pid_fd(5). A file never makes a writer wait, and shares
 * its offset through descriptor 2 only. A socket cannot be opened a second time (ENXIO): there, a
 * reader that does not read can hold us up as it does the application.
 */
function writeTo(stderr: BigIntStats, text: Buffer): boolean {
  const canWait = stderr.isFIFO() || (stderr.isCharacterDevice() && isatty(stderrFd));
  if (process.platform !== "linux" || !canWait) return writeOnce(stderrFd, text);
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
  let own: number;
  try {
    own = openSync("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY);
  } catch (error) {
    // fifo(7): ENXIO means that no reader is left. Otherwise /proc is not mounted, or the pipe was
    // made by another user (EACCES): what remains is the shared description.
    const isUnread = (error as NodeJS.ErrnoException).code === "ENXIO";
    return isUnread ? false : writeOnce(stderrFd, text);
  }
  const isWritten = writeOnce(own, text);
  closeSync(own);
  return isWritten;
}

function writeOnce(fd: number, text: Buffer): boolean {
  try {
    return writeSync(fd, text) === text.length;
  } catch {
    // EAGAIN, EPIPE, ENOSPC, EBADF: the caller counts the drop.
    return false;
  }
}

/** Cut between characters, and still ended by a newline. */
function cut(text: string): Buffer {
  const whole = Buffer.from(text);
  if (whole.length <= textBytesMax) return whole;
  let end = textBytesMax - 1;
  // UTF-8: continuation bytes are 10xxxxxx; do not leave the head of a character behind.
  while (end > 0 && ((whole[end] as number) & 0xc0) === 0x80) end--;
  return Buffer.concat([whole.subarray(0, end), Buffer.from("\n")]);
}
