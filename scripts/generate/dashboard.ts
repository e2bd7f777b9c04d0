// The dashboard for Grafana, built with Grafana's own SDK from the table of panels.

import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { catalogue } from "../../agent/model/catalogue";
import { incidentMarks, type PanelDefinition, rows } from "./dashboard-panels";

const source = { type: "prometheus", uid: "$datasource" };
/** Of Grafana's 24 columns, and of its rows. */
const panelWidth = 12;
const panelHeight = 8;

/** The text of the file that `loophound dashboard` prints. */
export function dashboardText(): string {
  const builder = new DashboardBuilder("loophound")
    .uid("loophound")
    .description("Who is slow, whose fault it is, and what blocks the event loop.")
    .tags(["loophound", "nodejs", "redis", "rabbitmq"])
    .refresh("10s")
    .time({ from: "now-30m", to: "now" })
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"),
    )
    .withVariable(variable("job", "Service", catalogue.agentInfo.name))
    .withVariable(variable("instance", "Instance", `${catalogue.agentInfo.name}{job=~"$job"}`))
    .withVariable(variable("server", "Server", commandsOfSelected))
    .withVariable(variable("command", "Command", commandsOfSelected))
    .annotation(
      new AnnotationQueryBuilder()
        .name("Incidents")
        .datasource(source)
        .enable(true)
        .iconColor("red")
        .expr(incidentMarks)
        .titleFormat("{{cause}}")
        .textFormat("{{instance}}"),
    );
  for (const { title, panels } of rows) {
    builder.withRow(new RowBuilder(title));
    for (const definition of panels) builder.withPanel(panel(definition));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

const commandsOfSelected = `${catalogue.commandDuration.name}_count{job=~"$job", instance=~"$instance"}`;

/** All values of the label `name` among those series; all are selected at first. */
const variable = (name: string, label: string, series: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(source)
    .query(`label_values(${series}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ selected: true, text: "All", value: "$__all" });

function panel(definition: PanelDefinition) {
  const { kind, title, description, unit, queries } = definition;
  const made = { timeseries: TimeseriesBuilder, table: TableBuilder, stat: StatBuilder }[kind];
  const builder = new made()
    .title(title)
    .description(description)
    .datasource(source)
    .unit(unit)
    .min(0)
    .span(panelWidth)
    .height(panelHeight);
  queries.forEach(({ expr, legend }, index) => {
    const query = new DataqueryBuilder()
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode("A".charCodeAt(0) + index));
    builder.withTarget(kind === "table" ? query.instant().format(PromQueryFormat.Table) : query);
  });
  return builder;
}
