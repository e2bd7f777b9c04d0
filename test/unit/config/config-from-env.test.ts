import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type GivenOptions, readConfig } from "../../../agent/config-from-env";
import { configOptions, defaultConfig } from "../../../agent/model/config";

describe("readConfig", () => {
  test("gives the defaults where nothing is set, without a word", () => {
    expect(readConfig({ PATH: "/bin", LOOPHOUNDX: "1" })).toEqual({
      config: defaultConfig,
      complaints: [],
    });
  });

  test("reads each kind of setting", () => {
    const { config, complaints } = readConfig({
      LOOPHOUND_ENABLED: "Yes",
      LOOPHOUND_LOG: "/var/log/incidents.ndjson",
      LOOPHOUND_STDERR: "off",
      LOOPHOUND_PORT: "0",
      LOOPHOUND_HOST: "[::1]",
      LOOPHOUND_STALL_MS: " 30 ",
    });
    expect(complaints).toEqual([]);
    expect(config).toEqual({
      ...defaultConfig,
      enabled: true,
      log: "/var/log/incidents.ndjson",
      stderr: false,
      port: 0,
      host: "::1",
      stallMs: 30,
    });
  });

  test.each([
    ["on", true],
    ["off", false],
    ["true", true],
    ["false", false],
    ["1", true],
    ["0", false],
    ["yes", true],
    ["NO", false],
  ])("takes %s for a switch", (text, value) => {
    expect(readConfig({ LOOPHOUND_CLIENTS: text }).config.clients).toBe(value);
  });

  test("an empty variable counts as not set", () => {
    expect(readConfig({ LOOPHOUND_PORT: "", LOOPHOUND_LOG: "", LOOPHOUND_STDERR: " " })).toEqual({
      config: defaultConfig,
      complaints: [],
    });
  });

  test("off as a port or a log means none", () => {
    const { config, complaints } = readConfig({ LOOPHOUND_PORT: "off", LOOPHOUND_LOG: "off" });
    expect([config.port, config.log, complaints]).toEqual([null, null, []]);
  });

  test.each([
    ["LOOPHOUND_PORT", "65536"],
    ["LOOPHOUND_PORT", "-1"],
    ["LOOPHOUND_PORT", "80a"],
    ["LOOPHOUND_STALL_MS", "4"],
    ["LOOPHOUND_STALL_MS", "60001"],
    ["LOOPHOUND_STALL_MS", "20ms"],
    ["LOOPHOUND_STALL_MS", "1e3"],
    ["LOOPHOUND_STALL_MS", "20.5"],
    ["LOOPHOUND_ENABLED", "maybe"],
    ["LOOPHOUND_HOST", "a b"],
    ["LOOPHOUND_HOST", "http://x"],
    ["LOOPHOUND_HOST", `${"a".repeat(300)}`],
    ["LOOPHOUND_LOG", "a\0b"],
  ])("%s=%j is named in one line, and its default used", (name, value) => {
    const { config, complaints } = readConfig({ [name]: value });
    expect(config).toEqual(defaultConfig);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain(`${name}=`);
    expect(complaints[0]).toContain("it takes");
  });

  test("says what is accepted and what is used instead", () => {
    expect(readConfig({ LOOPHOUND_STALL_MS: "soon" }).complaints).toEqual([
      "LOOPHOUND_STALL_MS=soon makes no sense: it takes a whole number from 5 to 60000; using 20",
    ]);
  });

  test("names the nearest setting for a slip, and all of them for a stranger", () => {
    const [slip, stranger] = readConfig({ LOOPHOUND_PROT: "1", LOOPHOUND_COLOUR: "1" }).complaints;
    expect(slip).toBe("LOOPHOUND_PROT is not known: did you mean LOOPHOUND_PORT?");
    for (const { env } of configOptions) expect(stranger).toContain(env);
  });

  test("treats the options of start() in the same way, and lets them win", () => {
    const { config, complaints } = readConfig(
      { LOOPHOUND_PORT: "9000", LOOPHOUND_STALL_MS: "40" },
      {
        port: null,
        stallMs: undefined,
        clients: "perhaps",
        stderrr: true,
      } as unknown as GivenOptions,
    );
    expect([config.port, config.stallMs, config.clients]).toEqual([null, 40, true]);
    expect(complaints).toEqual([
      "option clients=perhaps makes no sense: it takes on or off; using on",
      "option stderrr is not known: did you mean stderr?",
    ]);
  });

  test("a bad option leaves a good variable in force, and says so", () => {
    const { config, complaints } = readConfig({ LOOPHOUND_PORT: "9000" }, {
      port: 1.5,
    } as GivenOptions);
    expect(config.port).toBe(9000);
    expect(complaints[0]).toMatch(/^option port=1.5 makes no sense.*using 9000$/);
  });

  test("an incident cannot be shorter than a stall", () => {
    const { config, complaints } = readConfig({ LOOPHOUND_STALL_MS: "100" });
    expect([config.stallMs, config.incidentMs]).toEqual([100, 100]);
    expect(complaints).toHaveLength(1);
    expect(readConfig({ LOOPHOUND_STALL_MS: "50" }).complaints).toEqual([]);
  });

  test("escapes and cuts a hostile value", () => {
    const [complaint] = readConfig({
      LOOPHOUND_PORT: `\u001b]0;pwned\u0007\n${"x".repeat(500)}`,
    }).complaints;
    expect(complaint).toContain("\\u001b]0;pwned\\u0007\\u000a");
    expect(complaint?.length).toBeLessThan(250);
  });

  test("an environment full of strangers gives a bounded number of lines", () => {
    const env = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`LOOPHOUND_X${i}`, "1"]));
    const { complaints } = readConfig(env);
    expect(complaints).toHaveLength(17);
    expect(complaints.at(-1)).toBe("and 484 more settings that make no sense");
  });

  test("survives options that are no options", () => {
    const thrower = {
      get port(): number {
        throw new Error("no");
      },
    };
    for (const options of [
      null,
      7,
      "x",
      thrower,
      [],
      { port: { toString: null } },
      { log: Symbol("s") },
    ]) {
      expect(readConfig({}, options as unknown as GivenOptions).config).toEqual(defaultConfig);
    }
  });

  test("never throws, and each value in force is one that is accepted", () => {
    const names = fc.constantFrom(...configOptions.map(({ env }) => env));
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.string({ unit: "binary" })),
        fc.dictionary(fc.constantFrom(...configOptions.map(({ key }) => key)), fc.anything()),
        (env, options) => {
          const { config, complaints } = readConfig(env, options as GivenOptions);
          expect(readConfig({}, config).complaints).toEqual([]);
          for (const line of complaints) expect(line).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });
});
