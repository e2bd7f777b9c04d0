// Node's own timers, bound when the agent is loaded: an application or its tests may replace them later
// (fake timers), and would then hold or drive the heartbeat. Both threads.

import * as timers from "node:timers";

export const { setTimeout, clearTimeout, setInterval, clearInterval } = timers;
