// What an AMQP operation should cost, and which records are no measure of the broker. Tables only;
// imports nothing but names.

import { amqpEvents } from "./amqp-methods";

/**
 * Answered by RabbitMQ from memory, in a fraction of a millisecond on an idle broker. Left out are
 * declares that may create something, confirms (a quorum queue waits for its replicas and a disk)
 * and basic.consume, which starts deliveries.
 */
const immediate: ReadonlySet<string> = new Set([
  "basic.get",
  "basic.qos",
  "channel.open",
  "confirm.select",
  "exchange.declare-passive",
  "queue.declare-passive",
]);

const unanswered: ReadonlySet<string> = new Set([
  amqpEvents.publish,
  amqpEvents.deliver,
  amqpEvents.heartbeat,
]);

export const isImmediateOperation = (command: string): boolean => immediate.has(command);

/**
 * False for what ends without a word of the server: a publish without confirm, a heartbeat, and a
 * delivery, which is the application's own time. True for every command of another protocol.
 */
export const isAnsweredByServer = (command: string): boolean => !unanswered.has(command);

/**
 * A round trip of 35 to 45 ms is Nagle's algorithm waiting for the peer's delayed acknowledgement:
 * amqplib leaves it on by default, and Linux delays for 40 ms. It is nobody's incident.
 * https://github.com/torvalds/linux/blob/v6.1/include/net/tcp.h (TCP_DELACK_MIN)
 * https://amqp-node.github.io/amqplib/channel_api.html#connect (noDelay)
 */
export const isNaglePlateau = (roundTripMs: number): boolean =>
  roundTripMs >= 35 && roundTripMs <= 45;
