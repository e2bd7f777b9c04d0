import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { openIncidentLog, parseIncident } from "../../support/incident-log";

const whole = {
  schema: "loophound.incident/1",
  id: "1",
  state: "open",
  cause: "unknown",
  commands: [],
  evidence: [],
};

describe("parseIncident", () => {
  test("gives back a line that keeps the contract", () => {
    expect(parseIncident(JSON.stringify(whole), "here")).toEqual(whole);
  });

  test.each(["id", "state", "cause", "commands", "evidence"])(
    "refuses a line without %s",
    (name) => {
      const line = JSON.stringify({ ...whole, [name]: undefined });
      expect(() => parseIncident(line, "here:3")).toThrow(
        /here:3: an incident with a part missing/,
      );
    },
  );

  test("refuses a state that does not exist", () => {
    const line = JSON.stringify({ ...whole, state: "opened" });
    expect(() => parseIncident(line, "here")).toThrow(/part missing/);
  });

  test("refuses what is not JSON", () => {
    expect(() => parseIncident('{"schema":', "here:1")).toThrow(/here:1: not JSON/);
  });
});

describe("openIncidentLog", () => {
  test("reads no incidents from a file that is not there yet", () => {
    expect(openIncidentLog(join(__dirname, "no-such-log")).read()).toEqual([]);
  });

  test("does not take another failure for a missing file", () => {
    expect(() => openIncidentLog(__dirname).read()).toThrow(/EISDIR/);
  });
});
