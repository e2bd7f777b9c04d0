// `node --require loophound/register app.js` (or --import): starts the agent before the application.
// Inherited by everything that this process starts; so it looks first where it is.

import { isMainThread } from "node:worker_threads";
import { startAgent } from "./start";

// The application's own worker threads run this too, and so would our watchdog.
if (isMainThread) startAgent(process.env);
