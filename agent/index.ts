// The public API: what `import { start } from "loophound"` gives. Importing it changes nothing.

import type { Agent } from "./agent";
import type { GivenOptions } from "./config-from-env";
import type { Incident } from "./model/incident";
import { startAgent } from "./start";

export type { Cause } from "./model/cause";
export type { Config } from "./model/config";
export type {
  Blame,
  ChargedCommand,
  Culprit,
  Evidence,
  Incident,
  PeerAddress,
  Site,
  StallTimes,
} from "./model/incident";
export type { Agent, GivenOptions };

/**
 * Starts the agent in this process; options win over LOOPHOUND_* variables. Call it before the
 * clients are loaded, or preload loophound/register instead. Returns the agent that runs already
 * if there is one, and null where LOOPHOUND_ENABLED=off. Never throws: a bad option is named on
 * stderr and its default used. In a worker thread it joins the agent of the main thread, whose settings
 * hold; null if there is none, or if it leaves workers alone.
 */
export const start = (options?: GivenOptions): Agent | null => startAgent(process.env, options);

/** Calls `listener` with each incident, on this thread, once the loop turns again. Starts the agent if need be. */
export function onIncident(listener: (incident: Incident) => void): () => void {
  return start()?.onIncident(listener) ?? (() => undefined);
}

/**
 * Records the commands of this client from now on, where neither a preload nor its shape could tell of
 * it: an ioredis client or cluster, or what amqplib's `connect` gave (channels from then on). Starts the agent
 * if need be. True if it is recorded now, or was already; false, and nothing changed, if it is of another
 * kind or the agent is off. Errors of ioredis commands count as replies then.
 */
export function instrument(client: object): boolean {
  const isObject = typeof client === "object" && client !== null;
  return isObject && (start()?.instrument(client) ?? false);
}
