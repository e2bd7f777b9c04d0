import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const agent = join(__dirname, "../../../agent");
const ioredis = join(__dirname, "../../../../node_modules/ioredis");

/** In a child process: jest's module loader is not Node's. */
function run(script: string): unknown {
  const text = `
    const { createLedger, ledgerWriter } = require(${JSON.stringify(`${agent}/base/ledger.js`)});
    const { createRegistry } = require(${JSON.stringify(`${agent}/instrument/registry.js`)});
    const { installClients } = require(${JSON.stringify(`${agent}/instrument/install.js`)});
    let firstClients = 0;
    const installed = installClients({
      ledger: ledgerWriter(createLedger()),
      registry: createRegistry(() => {}),
      now: () => performance.now(),
      onFirstClient: () => firstClients++,
    });
    const load = () => require(${JSON.stringify(ioredis)});
    const say = (value) => console.log(JSON.stringify(value));
    ${script}`;
  return JSON.parse(execFileSync(process.execPath, ["-e", text], { encoding: "utf8" }));
}

test("hooks a library when it is loaded, and tells of the first client only", () => {
  const script = `
    const before = [...installed.hooked];
    const Redis = load();
    const loaded = [[...installed.hooked], firstClients];
    for (let i = 0; i < 3; i++) new Redis({ lazyConnect: true });
    say([before, loaded, firstClients, installed.moduleHookKind]);`;
  expect(run(script)).toEqual([[], [["ioredis"], 0], 1, "loaded"]);
});

test("takes everything back", () => {
  const script = `
    const Redis = load();
    const names = ["resetCommandQueue", "resetOfflineQueue"];
    const hooked = names.map((name) => Redis.prototype[name]);
    installed.uninstall();
    const plain = names.map((name) => Redis.prototype[name]);
    const redis = new Redis({ lazyConnect: true });
    say([
      plain.some((method) => hooked.includes(method)),
      Object.getOwnPropertyNames(redis.commandQueue).filter((name) => name === "push"),
      firstClients,
    ]);`;
  expect(run(script)).toEqual([false, [], 0]);
});

test("hooks nothing that is loaded afterwards once it was taken back", () => {
  expect(run("installed.uninstall(); load(); say(installed.hooked);")).toEqual([]);
});
