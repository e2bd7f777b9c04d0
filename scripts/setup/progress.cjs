// What a person sees while the set-up works: silence for what is quick, a line that lives for the rest.

const quietMs = 1_500;
const terminalEveryMs = 1_000;
/** Logs of pipelines keep every line, so they get few. */
const logEveryMs = 15_000;

/** Prints one line of the set-up on stderr. */
function say(text) {
  process.stderr.write(`loophound set-up: ${text}\n`);
}

/** Runs `work` under the name `title`; shows that it goes on once it has lasted longer than a moment. */
async function withProgress(title, work) {
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1_000);
  const isTerminal = process.stderr.isTTY === true;
  let shown = false;
  const show = () => {
    shown = true;
    if (isTerminal) process.stderr.write(`\r\x1b[Kloophound set-up: ${title} (${seconds()} s)`);
    else say(`${title} (${seconds()} s so far)`);
  };
  let every;
  const first = setTimeout(() => {
    show();
    every = setInterval(show, isTerminal ? terminalEveryMs : logEveryMs);
  }, quietMs);
  try {
    const result = await work();
    if (shown && isTerminal) process.stderr.write("\r\x1b[K");
    if (shown) say(`${title}: done in ${seconds()} s`);
    return result;
  } catch (error) {
    if (shown && isTerminal) process.stderr.write("\n");
    throw error;
  } finally {
    clearTimeout(first);
    clearInterval(every);
  }
}

module.exports = { say, withProgress };
