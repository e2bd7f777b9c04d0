// rabbitmq-client 5: seen through the frames that it makes, the list of a connection's channels, and
// what rabbitmq-client-channel reads. Application thread.
//
// As with the other clients, no function replaced here stands in the stack of an error that the
// application may print, or of one of its callbacks.
// https://github.com/cody-greene/node-rabbitmq-client/blob/v5.0.8/src/Connection.ts

import { countFault, guard } from "../base/guard";
import { outcome } from "../base/ledger";
import { amqpMethod } from "../model/amqp-methods";
import { type AmqpRecorder, amqpIds } from "./amqp-records";
import {
  type FrameIterator,
  type FrameNote,
  fitsChannel,
  noteFrame,
  type RabbitChannel,
  RabbitChannelTap,
} from "./rabbitmq-client-channel";
import { openLink, type RabbitConnection, type RabbitLink } from "./rabbitmq-client-link";
import type { Adapter, Taps } from "./taps";
import { type Restore, replaceFunction } from "./wrap";

const library = "rabbitmq-client";
const room = "instrument";

export const rabbitmqClientAdapter: Adapter = {
  targets(taps) {
    const watch: Watch = {
      taps,
      recorder: null,
      areFramesHooked: false,
      links: new WeakMap(),
    };
    return [
      {
        suffix: "/lib/codec.js",
        adapt: (exports) => hookFrames(watch, exports as Codec | null),
      },
      {
        suffix: "/lib/SortedMap.js",
        adapt: (exports) => hookChannels(watch, exports as { readonly default?: unknown } | null),
      },
    ];
  },
};

interface Watch {
  readonly taps: Taps;
  recorder: AmqpRecorder | null;
  areFramesHooked: boolean;
  /** By socket. */
  readonly links: WeakMap<object, RabbitLink>;
}

interface MethodFrame {
  readonly methodId?: number;
  readonly params?: {
    readonly passive?: unknown;
    readonly noAck?: unknown;
    readonly deliveryTag?: unknown;
    readonly multiple?: unknown;
  };
}

interface Codec {
  readonly Cmd?: { readonly BasicPublish?: unknown };
  readonly genFrame?: unknown;
}

type MakeFrame = (frame: MethodFrame, sizeMax: unknown) => FrameIterator;

/** The library makes a lazy iterator for each frame; it is noted which frame that is. */
function hookFrames(watch: Watch, exports: Codec | null): void {
  // Other packages have a file of this name.
  if (exports?.Cmd?.BasicPublish !== amqpMethod.basicPublish) return;
  const recorder = recorderOf(watch);
  const restore = replaceFunction<MakeFrame>(exports, "genFrame", (makeFrame) => {
    return (frame, sizeMax) => {
      const iterator = makeFrame(frame, sizeMax);
      try {
        const note = noteOf(recorder, frame);
        if (note !== null) noteFrame(iterator, note);
      } catch (error) {
        countFault(room, error);
      }
      return iterator;
    };
  });
  watch.areFramesHooked = restore !== null;
  if (restore === null) watch.taps.onUnfit?.(library);
  else watch.taps.keep(restore);
}

const acknowledgements: ReadonlyMap<unknown, FrameNote["how"]> = new Map([
  [amqpMethod.basicAck, outcome.replied],
  [amqpMethod.basicNack, outcome.failed],
  [amqpMethod.basicReject, outcome.failed],
]);

function noteOf({ ids }: AmqpRecorder, { methodId = 0, params }: MethodFrame): FrameNote | null {
  const isPassive = params?.passive === true;
  const commandId =
    (isPassive ? ids.passive.get(methodId) : undefined) ?? ids.requests.get(methodId);
  const how = commandId === undefined ? acknowledgements.get(methodId) : undefined;
  if (commandId === undefined && how === undefined) return null;
  return {
    commandId,
    isWithoutAck: methodId === amqpMethod.basicConsume && params?.noAck === true,
    tag: Number(params?.deliveryTag),
    isMultiple: params?.multiple === true,
    how: how ?? outcome.replied,
    record: 0,
  };
}

function recorderOf(watch: Watch): AmqpRecorder {
  if (watch.recorder !== null) return watch.recorder;
  const { ledger, now, registry, keep } = watch.taps;
  const recorder = { ledger, now, ids: amqpIds(registry), isStopped: false };
  watch.recorder = recorder;
  keep(() => {
    recorder.isStopped = true;
  });
  return recorder;
}

interface ChannelMap {
  set(id: number, channel: RabbitChannel): unknown;
  get(id: number): RabbitChannel | undefined;
  delete(id: number): unknown;
}

/** A connection's channels by number: asked for one when a frame comes for it. */
function hookChannels(watch: Watch, exports: { readonly default?: unknown } | null): void {
  const prototype = (exports?.default as { readonly prototype?: unknown } | undefined)?.prototype;
  if (typeof prototype !== "object" || prototype === null) return;
  // This library's only: it is the one that picks a free number.
  const methods = ["pick", "set", "get", "delete"];
  if (!methods.every((name) => typeof Reflect.get(prototype, name) === "function")) return;
  const lookUp = Reflect.get(prototype, "get") as ChannelMap["get"];
  const restores: (Restore | null)[] = [
    replaceFunction<ChannelMap["set"]>(prototype, "set", (set) => {
      return function (this: ChannelMap, id, channel) {
        guard(room, () => take(watch, channel as TakenChannel), undefined);
        return set.call(this, id, channel);
      };
    }),
    replaceFunction<ChannelMap["get"]>(prototype, "get", (get) => {
      return function (this: ChannelMap, id) {
        const channel = get.call(this, id);
        try {
          (channel as TakenChannel | undefined)?.[channelTapKey]?.receives();
        } catch (error) {
          countFault(room, error);
        }
        return channel;
      };
    }),
    replaceFunction<ChannelMap["delete"]>(prototype, "delete", (remove) => {
      return function (this: ChannelMap, id) {
        const channel = lookUp.call(this, id) as TakenChannel | undefined;
        guard(room, () => channel?.[channelTapKey]?.ended(), undefined);
        return remove.call(this, id);
      };
    }),
  ];
  for (const restore of restores) if (restore !== null) watch.taps.keep(restore);
  if (!restores.includes(null)) watch.taps.onHooked(library);
}

const channelTapKey = Symbol("loophound.channel");

type TakenChannel = RabbitChannel & {
  readonly _conn?: RabbitConnection;
  readonly [channelTapKey]?: RabbitChannelTap;
};

function take(watch: Watch, channel: TakenChannel): void {
  const { taps, links } = watch;
  const recorder = recorderOf(watch);
  if (recorder.isStopped || !watch.areFramesHooked) return;
  const connection = channel._conn;
  if (connection === undefined || !fitsChannel(channel)) {
    taps.onUnfit?.(library);
    return;
  }
  taps.onClient();
  const link = links.get(connection._socket) ?? openLink(taps, connection);
  links.set(connection._socket, link);
  const tap = new RabbitChannelTap(recorder, link, channel, (code) =>
    taps.registry.channelClosed(link.id, code),
  );
  // Not enumerable: an application may print its channel.
  Object.defineProperty(channel, channelTapKey, { value: tap });
  tap.watch();
}
