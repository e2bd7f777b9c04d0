// Content negotiation for /metrics: whether a scraper prefers OpenMetrics. Pure.

interface Range {
  readonly type: string;
  readonly version: string | null;
  readonly quality: number;
}

const openMetricsType = "application/openmetrics-text";
/** Versions of OpenMetrics that differ in nothing we write. */
const openMetricsVersions: readonly (string | null)[] = [null, "1.0.0", "0.0.1"];
/** An Accept header longer than a scraper's is not read to the end. */
const rangesMax = 32;

/** RFC 9110 12.5.1. Without a header, or with one that prefers neither: the plain text format. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  const ranges = (accept ?? "").split(",", rangesMax).map(parseRange);
  const best = (matches: (range: Range) => boolean): number =>
    Math.max(0, ...ranges.filter(matches).map(({ quality }) => quality));
  const openMetrics = best(
    ({ type, version }) => type === openMetricsType && openMetricsVersions.includes(version),
  );
  // The exact type goes before a wildcard, whatever their weights.
  const isTextNamed = ranges.some(({ type }) => type === "text/plain");
  const text = best(({ type }) =>
    isTextNamed ? type === "text/plain" : type === "text/*" || type === "*/*",
  );
  return openMetrics > 0 && openMetrics >= text;
}

function parseRange(text: string): Range {
  const [type, ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const parameter = (name: string): string | null =>
    parameters.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  const quality = Number(parameter("q") ?? 1);
  return {
    type: type ?? "",
    version: parameter("version"),
    quality: quality >= 0 && quality <= 1 ? quality : 0,
  };
}
