import { describe, expect, test } from "@jest/globals";
import { createLedger, ledgerWriter } from "../../../agent/base/ledger";
import { endReason } from "../../../agent/instrument/amqp-close";
import { amqplibAdapter } from "../../../agent/instrument/amqplib";
import { rabbitmqClientAdapter } from "../../../agent/instrument/rabbitmq-client";
import { createRegistry } from "../../../agent/instrument/registry";
import type { Adapter } from "../../../agent/instrument/taps";
import { amqpMethod } from "../../../agent/model/amqp-methods";

/** Hands these exports to the adapter as a file with that end of its name. */
function adapt(adapter: Adapter, suffix: string, exports: unknown) {
  const [hooked, unfit]: [string[], string[]] = [[], []];
  const targets = adapter.targets({
    ledger: ledgerWriter(createLedger(16)),
    registry: createRegistry(() => undefined),
    now: () => 1,
    onHooked: (name) => hooked.push(name),
    onUnfit: (name) => unfit.push(name),
    onClient: () => undefined,
    keep: () => undefined,
  });
  targets.find((target) => target.suffix === suffix)?.adapt(exports, `/app/x${suffix}`);
  return { hooked, unfit };
}

const nothing = { hooked: [], unfit: [] };

describe("files of the same name in other packages", () => {
  test.each([
    [amqplibAdapter, "/lib/connection.js", { Connection: class {} }],
    [amqplibAdapter, "/lib/connection.js", class Connection {}],
    [amqplibAdapter, "/lib/mux.js", null],
    [rabbitmqClientAdapter, "/lib/codec.js", { genFrame: () => null }],
    [rabbitmqClientAdapter, "/lib/SortedMap.js", { default: Map }],
    [rabbitmqClientAdapter, "/lib/SortedMap.js", undefined],
  ])("are nobody's business (%#)", (adapter, suffix, exports) => {
    expect(adapt(adapter, suffix, exports)).toEqual(nothing);
  });
});

describe("a version that is not known", () => {
  test("of amqplib is left alone, and that is said", () => {
    class Connection {
      startHeartbeater() {
        return "beats";
      }
    }
    const { startHeartbeater } = Connection.prototype;
    expect(adapt(amqplibAdapter, "/lib/connection.js", { Connection })).toEqual({
      hooked: [],
      unfit: ["amqplib"],
    });
    expect(Connection.prototype.startHeartbeater).toBe(startHeartbeater);
  });

  test("of rabbitmq-client too", () => {
    const codec = { Cmd: { BasicPublish: amqpMethod.basicPublish } };
    expect(adapt(rabbitmqClientAdapter, "/lib/codec.js", codec)).toEqual({
      hooked: [],
      unfit: ["rabbitmq-client"],
    });
  });
});

test("the reason of an end is a code, and never a text", () => {
  const errors = [
    { code: "ECONNRESET" },
    { code: "CONNECTION_FORCED" },
    { code: "no queue 'secret' in vhost '/'" },
    { code: 320 },
    new Error("secret"),
    null,
  ];
  expect(errors.map(endReason)).toEqual([
    "ECONNRESET",
    "CONNECTION_FORCED",
    null,
    null,
    null,
    null,
  ]);
});
