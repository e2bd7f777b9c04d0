// `node --require loophound/register app.js` (or --import): starts the agent before the application.
// Inherited by everything that this process starts, worker threads too.

import { startAgent } from "./start";

startAgent(process.env);
