import { describe, expect, test } from "@jest/globals";
import { printConfig } from "../../../agent/config-print";
import { configOptions, defaultConfig } from "../../../agent/model/config";

describe("printConfig", () => {
  const config = { ...defaultConfig, port: null, log: "/tmp/\u001b[2Jlog", stallMs: 33 };

  test("the table holds each setting with its value, its default and what it does", () => {
    const lines = printConfig(config, { json: false }).split("\n");
    for (const { env, says } of configOptions) {
      const at = lines.findIndex((line) => line.startsWith(`${env} `));
      expect(lines[at + 1]).toBe(`    ${says}`);
    }
    const stall = lines.find((line) => line.startsWith("LOOPHOUND_STALL_MS "));
    expect(stall?.split(/ {2,}/)).toEqual([
      "LOOPHOUND_STALL_MS",
      "33",
      "20",
      "a whole number from 5 to 60000",
    ]);
    expect(lines.find((line) => line.startsWith("LOOPHOUND_PORT "))).toMatch(/ off +9749 /);
  });

  test("a value in it moves no cursor", () => {
    expect(printConfig(config, { json: false })).toContain("/tmp/\\u001b[2Jlog");
  });

  test("the JSON holds the values themselves", () => {
    const rows = JSON.parse(printConfig(config, { json: true }));
    expect(rows.map((row: { name: string }) => row.name)).toEqual(
      configOptions.map(({ env }) => env),
    );
    expect(rows.find((row: { option: string }) => row.option === "port")).toMatchObject({
      name: "LOOPHOUND_PORT",
      value: null,
      default: 9749,
    });
  });
});
