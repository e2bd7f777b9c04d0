import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { catalogue, type MetricDefinition } from "../../../../agent/model/catalogue";
import { ruleGroups } from "../../../../exporters/rules/loophound-rules";
import { type AlertingRule, ruleFile } from "../../../../exporters/rules/rule";

/** This file runs as dist/test/unit/exporters/rules/rules.test.js. */
const runbooks = join(__dirname, "../../../../../docs/runbooks");
const rules = ruleGroups.flatMap((group) => group.rules);
const alerts = rules.filter((rule): rule is AlertingRule => "alert" in rule);
const metrics: readonly MetricDefinition[] = Object.values(catalogue);

describe("the rules", () => {
  test("ask for metrics of the catalogue only", () => {
    for (const { expr } of rules) {
      const names = [...expr.matchAll(/loophound_[a-z_]+/g)].map(([name]) => name);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        expect(metrics.map((metric) => metric.name)).toContain(name.replace(/_count$/, ""));
      }
    }
  });

  test("select by labels that their metrics have", () => {
    for (const { expr } of rules) {
      const used = metrics.filter(({ name }) => expr.includes(name));
      const known = used.flatMap(({ labels }) => labels);
      const selected = [...expr.matchAll(/[{,]\s*([a-z]+)(?:=|!=|=~|!~)"/g)];
      for (const [, label] of selected) expect(known).toContain(label);
    }
  });

  test("have each a page that says what to do", () => {
    const pages = alerts.map(({ runbook }) => join(runbooks, `${runbook}.md`));
    expect(pages.filter((page) => !existsSync(page))).toEqual([]);
  });

  test("tell of labels in their text that their expression keeps", () => {
    for (const { alert, expr, summary, description } of alerts) {
      const told = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)];
      const kept = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(", ") ?? [];
      const lost = told
        .map(([, label]) => label as string)
        .filter((label) => !kept.includes(label));
      expect([alert, lost]).toEqual([alert, []]);
    }
  });

  test("have names of their own", () => {
    const names = rules.map((rule) => ("alert" in rule ? rule.alert : rule.record));
    expect(new Set(names).size).toBe(names.length);
  });
});

test("the file quotes what it is given and points to the pages where they are", () => {
  const rule: AlertingRule = {
    alert: "A",
    expr: 'x{a="b"} > 1',
    for: "0s",
    severity: "info",
    summary: 'it: says "so"',
    description: "d",
    runbook: "page",
  };
  const group = { name: "g", rules: [rule, { record: "r:x", expr: "x" }] };
  const text = ruleFile([group], "https://w/l");
  expect(text).toContain(String.raw`expr: "x{a=\"b\"} > 1"`);
  expect(text).toContain(String.raw`summary: "it: says \"so\""`);
  expect(text).toContain('runbook_url: "https://w/l/page.md"');
  expect(text).toContain("- record: r:x");
});
