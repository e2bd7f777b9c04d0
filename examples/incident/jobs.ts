// A queue of jobs in a Redis list, and the loop that works on them. BLPOP waits on a connection of its
// own: on a shared one, every other command would wait behind it.

import type { Redis } from "ioredis";

const queueKey = "jobs";
/** How long one BLPOP waits. It bounds how long stopping takes, not how soon a job is seen. */
const waitSeconds = 1;

export interface JobWorker {
  readonly done: () => number;
  /** Ends the loop after the BLPOP that is waiting. */
  stop(): Promise<void>;
}

/** Queues a job; resolves with the length of the queue. */
export const pushJob = (redis: Redis, job: string): Promise<number> => redis.rpush(queueKey, job);

/** Works on jobs until it is stopped. `redis` must be a connection that nobody else uses. */
export function startWorker(redis: Redis): JobWorker {
  let isStopped = false;
  let done = 0;
  const ended = (async () => {
    while (!isStopped) {
      const job = await redis.blpop(queueKey, waitSeconds);
      if (job !== null) done += 1;
    }
  })().catch((error: Error) => console.error(`worker: ${error.message}`));
  return {
    done: () => done,
    stop: async () => {
      isStopped = true;
      await ended;
    },
  };
}
