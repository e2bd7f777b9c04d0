// The program that `loophound self-check` blocks on purpose: it reads its standard input, which
// stays empty until the parent lets it go. Runs under the agent, in a process of its own.

import { readSync } from "node:fs";

/** Long enough for the loop's own epoll descriptor to be learned first. */
const settleMs = 600;

function blockOnPurpose(): void {
  process.stdout.write("blocking\n");
  const standardInput = 0;
  readSync(standardInput, Buffer.alloc(16));
}

setTimeout(() => {
  blockOnPurpose();
  // The verdict comes a moment after the stall; then there is nothing left to do.
  setTimeout(() => process.exit(0), 500);
}, settleMs);
