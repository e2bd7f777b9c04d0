// Small steps that several parsers of this room share. Pure.

/** Numbers of procfs are unsigned decimals; anything else gives null. Above 2^53 it is rounded. */
export function parseDecimal(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : null;
}

/** The value of a "Name:\tvalue" or "name value" line, trimmed; null when there is no such line. */
export function lineValue(text: string, label: string): string | null {
  const start = text.startsWith(label) ? 0 : text.indexOf(`\n${label}`) + 1;
  if (start === 0 && !text.startsWith(label)) return null;
  const end = text.indexOf("\n", start);
  return text.slice(start + label.length, end === -1 ? undefined : end).trim();
}

/** The start of a text that is not what it ought to be, short enough for a log line. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > EXCERPT_CHARS ? `${text.slice(0, EXCERPT_CHARS)}...` : text);
}

const EXCERPT_CHARS = 60;
