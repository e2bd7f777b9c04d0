import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "@jest/globals";

/** This file runs as dist/test/unit/architecture/architecture.test.js. */
const root = resolve(__dirname, "../../../..");

/** What each room may import besides itself; see docs/architecture.md. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "agent/model": [],
  "agent/base": ["agent/model"],
  "agent/kernel": ["agent/model", "agent/base"],
  "agent/instrument": ["agent/model", "agent/base"],
  "agent/pulse": ["agent/model", "agent/base"],
  "agent/diagnose": ["agent/model", "agent/base"],
  exporters: ["agent/model", "agent/base"],
  "agent/stack": ["agent/model", "agent/base", "agent/kernel"],
  "agent/watchdog": ["agent/model", "agent/base", "agent/kernel", "agent/stack", "agent/diagnose"],
};

const sources = ["agent", "exporters"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

const roomOf = (file: string): string =>
  file.startsWith("agent/") ? file.split("/").slice(0, -1).join("/") : "exporters";

const text = (file: string): string => readFileSync(join(root, file), "utf8");

function importedRooms(file: string): readonly string[] {
  const matches = text(file).matchAll(/from "(\.[^"]+)"/g);
  return [...matches].map(([, path]) =>
    roomOf(`${relative(root, resolve(root, file, "..", path as string))}.ts`),
  );
}

test("a room imports only rooms on floors below it", () => {
  const wrong = sources.flatMap((file) => {
    const room = Object.keys(mayImport).find((name) => roomOf(file).startsWith(name));
    if (room === undefined) return [];
    const allowed = [room, ...(mayImport[room] ?? [])];
    const others = importedRooms(file).filter(
      (target) => !allowed.some((name) => target === name || target.startsWith(`${name}/`)),
    );
    return others.map((target) => `${file} imports ${target}`);
  });
  expect(sources.length).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});

test("nothing on the agent's side uses console, which goes through a blocked thread", () => {
  const users = sources.filter((file) => /^(?!\s*(\/\/|\*)).*\bconsole\.\w/m.test(text(file)));
  expect(users).toEqual([]);
});

test("only the clock reads time", () => {
  const readers = sources.filter((file) =>
    /\b(Date\.now|performance\.now|process\.hrtime)\b/.test(
      text(file).replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, ""),
    ),
  );
  // The live page, in its reader's browser, has that browser's clock.
  expect(readers).toEqual(["agent/base/clock.ts", "exporters/page/browser/live.ts"]);
});

test("the README's table of settings lists every setting", () => {
  const { configOptions } =
    require("../../../agent/model/config") as typeof import("../../../agent/model/config");
  const readme = text("README.md");
  for (const { env, says } of configOptions) {
    expect(readme).toContain(`\`${env}\``);
    expect(readme).toContain(says);
  }
});
