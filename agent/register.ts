// `node --require loophound/register app.js` (or --import): starts the agent before the application.
// Inherited by everything that this process starts, worker threads too.

import { isMainThread } from "node:worker_threads";

// Loaded late: a worker thread may live for milliseconds, and needs little of what the main one does.
if (isMainThread) (require("./start") as typeof import("./start")).startAgent(process.env);
else (require("./start-worker") as typeof import("./start-worker")).startInWorker();
