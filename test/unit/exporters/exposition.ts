// A strict reader of the two text formats, to hold our output to them. It throws at what a scraper
// would refuse or misread.
// Formats: github.com/prometheus/docs, content/docs/instrumenting/exposition_formats.md, and
// github.com/prometheus/OpenMetrics, specification/OpenMetrics.md.

export interface ExposedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** Families by name as their TYPE line has it. */
export function readExposition(
  text: string,
  format: "text" | "openmetrics",
): ReadonlyMap<string, ExposedFamily> {
  const families = new Map<string, ExposedFamily>();
  let help: { name: string; text: string } | null = null;
  let current: ExposedFamily | null = null;
  for (const line of bodyLines(text, format)) {
    if (line.startsWith("# HELP ")) {
      const [, name = "", words = ""] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
      demand(metricName.test(name), `a HELP line without a name: ${line}`);
      help = { name, text: words };
      current = null;
    } else if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
      demand(help?.name === name, `TYPE without its HELP before it: ${line}`);
      demand(!families.has(name), `a family twice: ${name}`);
      current = { name, type, help: help?.text ?? "", samples: [] };
      families.set(name, current);
    } else if (line !== "") {
      demand(current !== null, `a sample outside its family: ${line}`);
      (current as ExposedFamily).samples.push(readSample(line));
    }
  }
  for (const family of families.values()) checkFamily(family, format);
  return families;
}

function demand(isSo: boolean, complaint: string): void {
  if (!isSo) throw new Error(complaint);
}

function bodyLines(text: string, format: "text" | "openmetrics"): readonly string[] {
  demand(text.endsWith("\n"), "the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "text") return lines;
  demand(lines.at(-1) === "# EOF", "OpenMetrics ends with # EOF");
  const body = lines.slice(0, -1);
  demand(!body.includes(""), "OpenMetrics has no empty lines");
  return body;
}

function readSample(line: string): Sample {
  const [, name = "", pairs = "", number = ""] = sampleLine.exec(line) ?? [];
  demand(name !== "", `not a sample: ${line}`);
  const value = number === "+Inf" ? Number.POSITIVE_INFINITY : Number(number);
  demand(!Number.isNaN(value), `not a number: ${line}`);
  return { name, labels: readLabels(pairs, line), value };
}

function readLabels(pairs: string, line: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  let end = 0;
  while (end < pairs.length) {
    const [whole = "", label = "", escaped = ""] = labelPair.exec(pairs) ?? [];
    demand(whole !== "", `labels that cannot be read: ${line}`);
    demand(!(label in labels), `a label twice: ${line}`);
    labels[label] = escaped.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    end += whole.length;
  }
  return labels;
}

const keyOf = (sample: Sample, without?: string): string =>
  JSON.stringify([
    Object.entries(sample.labels)
      .filter(([label]) => label !== without)
      .sort(),
  ]);

function checkFamily(family: ExposedFamily, format: "text" | "openmetrics"): void {
  const { name, type, samples } = family;
  const isSuffixed = format === "openmetrics" && type === "counter";
  demand(type !== "counter" || name.endsWith("_total") !== isSuffixed, `name of counter ${name}`);
  const suffixes =
    type === "histogram" ? ["_bucket", "_sum", "_count"] : [isSuffixed ? "_total" : ""];
  const seen = new Set<string>();
  for (const sample of samples) {
    const isOwn = suffixes.some((suffix) => sample.name === `${name}${suffix}`);
    demand(isOwn, `${sample.name} in the family ${name}`);
    demand(type === "gauge" || sample.value >= 0, `${sample.name} is negative`);
    const key = `${sample.name} ${keyOf(sample)}`;
    demand(!seen.has(key), `a series twice: ${key}`);
    seen.add(key);
  }
  if (type === "histogram") checkHistogram(family);
}

/** Bounds rise, counts never fall, the last is +Inf and equals the count; each has its sum. */
function checkHistogram({ name, samples }: ExposedFamily): void {
  const ofKind = (suffix: string) => samples.filter((sample) => sample.name === `${name}${suffix}`);
  const counts = ofKind("_count");
  demand(counts.length === ofKind("_sum").length, `${name}: a sum for each count`);
  const buckets = new Map<string, Sample[]>();
  for (const bucket of ofKind("_bucket")) {
    const key = keyOf(bucket, "le");
    const alike = buckets.get(key) ?? [];
    alike.push(bucket);
    buckets.set(key, alike);
  }
  for (const count of counts) checkBuckets(name, buckets.get(keyOf(count)) ?? [], count.value);
}

function checkBuckets(name: string, buckets: readonly Sample[], count: number): void {
  const bounds = buckets.map(({ labels }) =>
    labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"]),
  );
  demand(bounds.at(-1) === Number.POSITIVE_INFINITY, `${name} ends with +Inf`);
  demand(buckets.at(-1)?.value === count, `${name}: +Inf is the count`);
  for (let i = 1; i < buckets.length; i++) {
    demand((bounds[i] as number) > (bounds[i - 1] as number), `${name}: bounds rise`);
    const [before, after] = [buckets[i - 1]?.value ?? 0, buckets[i]?.value ?? 0];
    demand(after >= before, `${name}: counts never fall`);
  }
}
