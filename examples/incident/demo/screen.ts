// What the demo shows while it runs: blocks of text on one stream, and on stderr a line of progress that
// redraws itself on a terminal and comes every few seconds in a log.

const logEveryMs = 3_000;
const barCells = 20;

export interface Progress {
  readonly title: string;
  readonly elapsedSeconds: number;
  readonly totalSeconds: number;
  readonly requests: number;
  readonly incidents: number;
}

export interface Screen {
  /** Prints a block of lines above the progress line. */
  block(text: string): void;
  progress(state: Progress): void;
  /** Takes the progress line away. */
  clear(): void;
}

/** `out` takes the blocks: stdout, or stderr when stdout is for JSON. */
export function openScreen(out: NodeJS.WriteStream, err: NodeJS.WriteStream): Screen {
  const isTerminal = err.isTTY === true;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  const clear = () => {
    if (isTerminal) err.write("\r\x1b[K");
  };
  return {
    clear,
    block(text) {
      clear();
      out.write(`${text}\n`);
    },
    progress(state) {
      const nowMs = performance.now();
      if (isTerminal) err.write(`\r\x1b[K${progressLine(state)}`);
      else if (nowMs - shownAtMs >= logEveryMs) err.write(`${progressLine(state)}\n`);
      else return;
      shownAtMs = nowMs;
    },
  };
}

/** One line: a bar, the time, and two counts. */
export function progressLine(state: Progress): string {
  const share = Math.min(1, state.elapsedSeconds / state.totalSeconds);
  const cells = Math.round(share * barCells);
  const bar = "#".repeat(cells) + "-".repeat(barCells - cells);
  const seconds = `${Math.floor(Math.min(state.elapsedSeconds, state.totalSeconds))}/${state.totalSeconds} s`;
  return `  [${bar}] ${seconds}  ${state.title}: ${state.requests} requests, ${state.incidents} incidents`;
}
