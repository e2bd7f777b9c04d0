// Where the benchmark finds and leaves things. These files run as dist/bench/overhead/*.js.

import { join } from "node:path";

export const repository = join(__dirname, "../../..");
export const agentEntry = join(repository, "dist/agent/register.js");
export const resultsFolder = join(repository, "bench/results");
/** The benchmark's own packages, installed on demand. */
export const clientsFolder = join(repository, ".loophound/bench");
/** For createRequire: beside their node_modules. */
export const clientsOf = join(clientsFolder, "package.json");
