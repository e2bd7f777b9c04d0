import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readIncidents } from "../../../../exporters/page/read-incidents";
import { incident } from "../incidents";

const line = (given: object = {}): string => JSON.stringify({ ...incident(), ...given });

describe("reading a log", () => {
  test("takes each line that is an incident, and empty lines for what they are", () => {
    const { incidents, problems } = readIncidents(`${line({ id: "a" })}\n\n${line({ id: "b" })}\n`);
    expect(incidents.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(problems).toEqual([]);
  });

  test.each([
    ["{", "line 2 is not JSON"],
    ["7", "line 2 is not a JSON object"],
    ['{"schema":"other/2"}', 'line 2 has the schema "other/2", not "loophound.incident/1"'],
    ["{}", 'line 2 has the schema null, not "loophound.incident/1"'],
    [line({ startedAt: "yesterday" }), 'line 2 has no valid "startedAt"'],
    [line({ stalls: [{ startEpochMs: "x" }] }), 'line 2 has no valid "stalls"'],
    [line({ commands: [null] }), 'line 2 has no valid "commands"'],
  ])("names the line %s and reads the rest", (bad, words) => {
    const { incidents, problems } = readIncidents([line(), bad, line()].join("\n"));
    expect(incidents).toHaveLength(2);
    expect(problems).toEqual([words]);
  });

  test("takes fields that it does not know, and does without those it need not have", () => {
    const { stall: _stall, culprit: _culprit, ...rest } = incident();
    const { incidents, problems } = readIncidents(JSON.stringify({ ...rest, later: 1 }));
    expect(problems).toEqual([]);
    expect(incidents[0]).toMatchObject({ stall: null, culprit: null, later: 1 });
  });

  test("reads any text to its end", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), fc.string())), (lines) => {
        readIncidents(lines.join("\n"));
      }),
      { numRuns: 300 },
    );
  });
});
