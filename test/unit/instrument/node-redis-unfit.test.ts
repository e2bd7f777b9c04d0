// A node-redis that is not as the adapter knows it is left alone, and said.

import { afterEach, expect, test } from "@jest/globals";
import { faultCounts } from "../../../agent/base/guard";
import { createLedger, headIndex, ledgerViews, ledgerWriter } from "../../../agent/base/ledger";
import { sayIfUnfit } from "../../../agent/instrument/copies";
import { nodeRedisAdapter } from "../../../agent/instrument/node-redis";
import { createRecords } from "../../../agent/instrument/node-redis-records";
import { createRegistry } from "../../../agent/instrument/registry";

const restores: (() => void)[] = [];
afterEach(() => {
  for (const restore of restores.splice(0)) restore();
});

/** What the adapter makes of a copy that has these files. */
async function adapt(files: Readonly<Record<string, unknown>>) {
  const [hooked, unfit]: [string[], string[]] = [[], []];
  const ledger = createLedger(64);
  const targets = nodeRedisAdapter.targets({
    ledger: ledgerWriter(ledger),
    registry: createRegistry(() => undefined),
    now: () => 1,
    onHooked: (library) => hooked.push(library),
    onUnfit: (library) => unfit.push(library),
    onClient: () => undefined,
    keep: (restore) => restores.push(restore),
  });
  for (const { suffix, adapt: apply } of targets) {
    const name = suffix.slice("/dist/lib/client/".length, -".js".length);
    if (name in files) apply(files[name], `/app/node_modules/@redis/client${suffix}`);
  }
  await Promise.resolve();
  const records = (): number => ledgerViews(ledger, 64).header[headIndex] as number;
  return { hooked, unfit, records };
}

function lists() {
  class List {
    push(_item: unknown): void {}
    unshift(_item: unknown): void {}
    shift(): void {}
    remove(_node: unknown): void {}
    reset(): void {}
  }
  return { DoublyLinkedList: class extends List {}, SinglyLinkedList: class extends List {} };
}
class Queue {
  addCommand(): void {}
  *commandsToWrite(): Generator<string> {}
}
const command = { args: ["GET", "key"], resolve: () => undefined };

class Other {
  addCommand(): void {}
}

test("one that has all that is needed is hooked, whatever else it has", async () => {
  const own = lists();
  const { hooked, unfit, records } = await adapt({
    "commands-queue": { default: Queue },
    "linked-list": own,
  });
  new own.DoublyLinkedList().push(command);
  expect([hooked, unfit, records()]).toEqual([["node-redis"], [], 1]);
});

test.each([
  ["whose queue is another", { "commands-queue": { default: Other }, "linked-list": lists() }],
  ["without lists", { "commands-queue": { default: Queue }, "linked-list": {} }],
  [
    "whose list cannot be emptied",
    {
      "commands-queue": { default: Queue },
      "linked-list": {
        ...lists(),
        SinglyLinkedList: class {
          push(): void {}
          shift(): void {}
        },
      },
    },
  ],
])(
  "one %s is left alone, and said",
  async (_what, files: Record<string, Record<string, unknown>>) => {
    const { hooked, unfit, records } = await adapt(files);
    const List = files["linked-list"]?.["DoublyLinkedList"] as
      | ReturnType<typeof lists>["DoublyLinkedList"]
      | undefined;
    if (List !== undefined) new List().push(command);
    expect([hooked, records()]).toEqual([[], 0]);
    expect(unfit).toEqual(["node-redis"]);
  },
);

test("what we do after the run of the application is counted where it fails, and thrown to nobody", async () => {
  const fail = (): never => {
    throw new Error("of ours");
  };
  const ledger = { ...ledgerWriter(createLedger(16)), close: fail };
  const registry = createRegistry(() => undefined);
  const [onHooked, onClient, keep] = [() => undefined, () => undefined, () => undefined];
  const taps = { ledger, registry, now: () => 1, onHooked, onUnfit: fail, onClient, keep };
  const before = faultCounts().get("instrument") ?? 0;
  sayIfUnfit(taps, { isComplete: () => false, library: "node-redis" });
  const records = createRecords(taps);
  const queued = { ...command };
  records.called(queued, 0);
  records.removed(queued);
  await Promise.resolve();
  expect(faultCounts().get("instrument")).toBe(before + 2);
});

test("files of the same names in other packages are nobody's business", async () => {
  const others = { "commands-queue": { default: class {} }, "linked-list": {}, socket: null };
  expect(await adapt(others)).toMatchObject({ hooked: [], unfit: [] });
});
