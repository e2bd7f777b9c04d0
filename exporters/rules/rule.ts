// Rules for Prometheus, as plain data, and their file. Pure.
// https://prometheus.io/docs/prometheus/2.42/configuration/recording_rules/

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export type Severity = "critical" | "warning" | "info";

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold before anybody is told, as Prometheus writes durations; "0s": at once. */
  readonly for: string;
  readonly severity: Severity;
  /** One line, with the labels that name the culprit. */
  readonly summary: string;
  readonly description: string;
  /** File name of the page in docs/runbooks, without `.md`. */
  readonly runbook: string;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

/** The file that Prometheus loads. `runbooks`: where the pages are, a path or an address, without a final slash. */
export function ruleFile(groups: readonly RuleGroup[], runbooks: string): string {
  return `groups:\n${groups.map((group) => groupText(group, runbooks)).join("\n")}`;
}

function groupText({ name, rules }: RuleGroup, runbooks: string): string {
  const texts = rules.map((rule) =>
    "record" in rule ? recordingText(rule) : alertingText(rule, runbooks),
  );
  return `  - name: ${name}\n    rules:\n${texts.join("")}`;
}

const recordingText = ({ record, expr }: RecordingRule): string =>
  `      - record: ${record}\n        expr: ${quoted(expr)}\n`;

function alertingText(rule: AlertingRule, runbooks: string): string {
  return [
    `      - alert: ${rule.alert}`,
    `        expr: ${quoted(rule.expr)}`,
    `        for: ${rule.for}`,
    "        labels:",
    `          severity: ${rule.severity}`,
    "        annotations:",
    `          summary: ${quoted(rule.summary)}`,
    `          description: ${quoted(rule.description)}`,
    `          runbook_url: ${quoted(`${runbooks}/${rule.runbook}.md`)}`,
    "",
  ].join("\n");
}

/** YAML 1.2, section 7.3.1: what JSON quotes is a double-quoted scalar. */
const quoted = (text: string): string => JSON.stringify(text);
