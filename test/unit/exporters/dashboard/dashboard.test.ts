import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { catalogue, type MetricDefinition } from "../../../../agent/model/catalogue";
import { dashboardText } from "../../../../scripts/generate/dashboard";
import { rows } from "../../../../scripts/generate/dashboard-panels";
import { dashboardFile } from "../../../../scripts/generate/generate";

/** This file runs as dist/test/unit/exporters/dashboard/dashboard.test.js. */
const repository = join(__dirname, "../../../../..");
const queries = rows.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));

test("the committed dashboard is what is generated: `npm run generate` writes it", () => {
  expect(readFileSync(join(repository, dashboardFile), "utf8")).toBe(dashboardText());
});

test("every metric stands on the dashboard, but for those that say the same otherwise", () => {
  const shown = queries.map(({ expr }) => expr).join("\n");
  const missing = (Object.values(catalogue) as readonly MetricDefinition[])
    .map(({ name }) => name)
    .filter((name) => !shown.includes(name));
  const elsewhere = [
    catalogue.stalls.name,
    catalogue.incidents.name, // marked on all panels
    catalogue.agentInfo.name, // asked for the variables
    catalogue.connectionsClosed.name,
    catalogue.commandsUnjudged.name,
    catalogue.amqpHeartbeatsMissed.name,
    catalogue.amqpClosed.name,
    catalogue.experiments.name,
  ];
  expect(missing.filter((name) => !elsewhere.includes(name as never))).toEqual([]);
});

test("a panel's lines have names of their own", () => {
  for (const { panels } of rows) {
    for (const panel of panels) {
      const legends = panel.queries.map(({ legend }) => legend);
      expect(new Set(legends).size).toBe(legends.length);
    }
  }
});
