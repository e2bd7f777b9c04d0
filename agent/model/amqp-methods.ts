// The methods of AMQP 0-9-1 and RabbitMQ's extensions of it, by the number that stands in a frame:
// class id in the upper 16 bits, method id in the lower. Tables only; imports nothing.
// https://www.rabbitmq.com/amqp-0-9-1-reference, https://www.rabbitmq.com/docs/extensions

const method = (classId: number, methodId: number): number => classId * 65_536 + methodId;

/** Those that clients have to tell apart. */
export const amqpMethod = {
  connectionClose: method(10, 50),
  connectionCloseOk: method(10, 51),
  connectionBlocked: method(10, 60),
  connectionUnblocked: method(10, 61),
  channelClose: method(20, 40),
  channelCloseOk: method(20, 41),
  exchangeDeclare: method(40, 10),
  queueDeclare: method(50, 10),
  basicConsume: method(60, 20),
  basicConsumeOk: method(60, 21),
  basicCancel: method(60, 30),
  basicCancelOk: method(60, 31),
  basicPublish: method(60, 40),
  basicReturn: method(60, 50),
  basicDeliver: method(60, 60),
  basicGetOk: method(60, 71),
  basicAck: method(60, 80),
  basicReject: method(60, 90),
  basicNack: method(60, 120),
  confirmSelectOk: method(85, 11),
} as const;

/** What a client sends and the server answers, one at a time on each channel. */
export const amqpRequests: ReadonlyMap<number, string> = new Map([
  [method(20, 10), "channel.open"],
  [method(20, 40), "channel.close"],
  [method(40, 10), "exchange.declare"],
  [method(40, 20), "exchange.delete"],
  [method(40, 30), "exchange.bind"],
  [method(40, 40), "exchange.unbind"],
  [method(50, 10), "queue.declare"],
  [method(50, 20), "queue.bind"],
  [method(50, 30), "queue.purge"],
  [method(50, 40), "queue.delete"],
  [method(50, 50), "queue.unbind"],
  [method(60, 10), "basic.qos"],
  [method(60, 20), "basic.consume"],
  [method(60, 30), "basic.cancel"],
  [method(60, 70), "basic.get"],
  [method(60, 110), "basic.recover"],
  [method(85, 10), "confirm.select"],
  [method(90, 10), "tx.select"],
  [method(90, 20), "tx.commit"],
  [method(90, 30), "tx.rollback"],
]);

/** Declares that only ask whether it is there: `passive`, the one flag of a request that is told. */
export const passiveNames: ReadonlyMap<number, string> = new Map([
  [amqpMethod.exchangeDeclare, "exchange.declare-passive"],
  [amqpMethod.queueDeclare, "queue.declare-passive"],
]);

/** Other records of an AMQP client; none of them is answered in the way of a request. */
export const amqpEvents = {
  /** Until its bytes were handed to the socket: no answer comes. */
  publish: "basic.publish",
  /** Until the broker's confirm. */
  publishConfirmed: "basic.publish-confirm",
  /** From the complete message to the application's ack, nack or reject. */
  deliver: "basic.deliver",
  /** From when it was due to when it was sent. */
  heartbeat: "heartbeat",
} as const;

/** https://www.rabbitmq.com/amqp-0-9-1-reference#constants */
const replyCodes: ReadonlyMap<number, string> = new Map([
  [200, "REPLY_SUCCESS"],
  [311, "CONTENT_TOO_LARGE"],
  [312, "NO_ROUTE"],
  [313, "NO_CONSUMERS"],
  [320, "CONNECTION_FORCED"],
  [402, "INVALID_PATH"],
  [403, "ACCESS_REFUSED"],
  [404, "NOT_FOUND"],
  [405, "RESOURCE_LOCKED"],
  [406, "PRECONDITION_FAILED"],
  [501, "FRAME_ERROR"],
  [502, "SYNTAX_ERROR"],
  [503, "COMMAND_INVALID"],
  [504, "CHANNEL_ERROR"],
  [505, "UNEXPECTED_FRAME"],
  [506, "RESOURCE_ERROR"],
  [530, "NOT_ALLOWED"],
  [540, "NOT_IMPLEMENTED"],
  [541, "INTERNAL_ERROR"],
]);

/** The name of a close's reply code. Its text is left out: it names queues and exchanges. */
export const replyCodeName = (code: unknown): string =>
  replyCodes.get(Number(code)) ?? "UNKNOWN_CODE";
