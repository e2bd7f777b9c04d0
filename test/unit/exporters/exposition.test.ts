// The reader that holds our output to the format must itself refuse what is wrong.

import { describe, expect, test } from "@jest/globals";
import { readExposition } from "./exposition";

const gauge = "# HELP g A gauge.\n# TYPE g gauge\n";
const histogram = (buckets: string): string =>
  `# HELP h A histogram.\n# TYPE h histogram\n${buckets}h_sum 3\nh_count 2\n`;

describe("readExposition", () => {
  test("reads what is right", () => {
    const families = readExposition(
      `${gauge}g{a="x\\"y",b="p\\\\q"} 1.5\n\n${histogram('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\n')}`,
      "text",
    );
    expect(families.get("g")?.samples).toEqual([
      { name: "g", labels: { a: 'x"y', b: "p\\q" }, value: 1.5 },
    ]);
    expect(families.get("h")?.samples).toHaveLength(4);
  });

  test.each([
    ["no end of line", `${gauge}g 1`],
    ["no HELP", "# TYPE g gauge\ng 1\n"],
    ["a family twice", `${gauge}g 1\n${gauge}g 2\n`],
    ["a series twice", `${gauge}g{a="1"} 1\ng{a="1"} 2\n`],
    ["a stranger in the family", `${gauge}x 1\n`],
    ["a value that is none", `${gauge}g Nan\n`],
    ["an unescaped quotation mark", `${gauge}g{a="x"y"} 1\n`],
    ["a label twice", `${gauge}g{a="1",a="2"} 1\n`],
    ["a counter without _total", "# HELP c A.\n# TYPE c counter\nc 1\n"],
    ["a negative counter", "# HELP c_total A.\n# TYPE c_total counter\nc_total -1\n"],
    ["no +Inf", histogram('h_bucket{le="1"} 2\n')],
    ["falling counts", histogram('h_bucket{le="1"} 3\nh_bucket{le="+Inf"} 2\n')],
    [
      "falling bounds",
      histogram('h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\n'),
    ],
    ["+Inf that is not the count", histogram('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\n')],
  ])("refuses %s", (_, text) => {
    expect(() => readExposition(text, "text")).toThrow();
  });

  test("refuses OpenMetrics without its end, and with the text format's counters", () => {
    expect(() => readExposition(`${gauge}g 1\n`, "openmetrics")).toThrow("# EOF");
    const counter = "# HELP c_total A.\n# TYPE c_total counter\nc_total 1\n# EOF\n";
    expect(() => readExposition(counter, "openmetrics")).toThrow("c_total");
  });
});
