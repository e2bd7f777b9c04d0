// The traffic, in a process of its own: `node load.js <port> <seconds> <sessions>`. Prints a line of JSON twice a
// second, `{"requests":n}`, and at the end one with the result.

import { setTimeout as sleep } from "node:timers/promises";
import autocannon, { type LoadRequest } from "autocannon";

/** Groups of users, one for each session, who come at the same moment. */
const groups = 6;
/** With ten sessions 600 together: what a healthy API answers without effort, also on a small machine. */
const requestsPerUserAndSecond = 10;
const reportEveryMs = 500;

export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Answers that were not 2xx, and requests without one. */
  readonly failed: number;
}

export type LoadLine = { readonly requests: number } | { readonly result: LoadResult };

async function main(port: number, seconds: number, sessions: number): Promise<void> {
  let requests = 0;
  const countOne = () => {
    requests += 1;
  };
  const timer = setInterval(() => print({ requests }), reportEveryMs);
  // autocannon sends a second's requests at its start: the groups come one after another, or nothing would
  // happen in the rest of each second.
  const runs = Array.from({ length: groups * sessions }, async (_, user) => {
    await sleep((Math.floor(user / sessions) * 1_000) / groups);
    return runUser(`http://127.0.0.1:${port}`, seconds, user % sessions, countOne);
  });
  const failures = await Promise.all(runs);
  clearInterval(timer);
  const failed = failures.reduce((sum, count) => sum + count, 0);
  print({ result: { requestsPerSecond: requests / seconds, failed } });
}

/** One user, with one connection and one session; resolves with the number of requests that failed. */
async function runUser(
  url: string,
  seconds: number,
  session: number,
  onResponse: () => void,
): Promise<number> {
  const run = autocannon({
    url,
    connections: 1,
    connectionRate: requestsPerUserAndSecond,
    duration: seconds,
    requests: requestsOf(session),
  });
  run.on("response", onResponse);
  const { non2xx, errors } = await run;
  return non2xx + errors;
}

/** Looks at the session four times, then queues a job. */
function requestsOf(session: number): LoadRequest[] {
  const look: LoadRequest = { method: "GET", path: `/session/${session}` };
  return [look, look, look, look, { method: "POST", path: `/job/${session}` }];
}

const print = (line: LoadLine) => console.log(JSON.stringify(line));

const [port = "", seconds = "", sessions = ""] = process.argv.slice(2);
main(Number(port), Number(seconds), Number(sessions)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
