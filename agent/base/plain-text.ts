// Makes a name that came from elsewhere (a file, a function, a command, an environment variable) safe
// to print: one line, bounded, and unable to move a cursor or to reorder what stands beside it.

// Control, format (bidirectional overrides among them), lone surrogate, line and paragraph separator.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x1_00_00
    ? `\\u${code.toString(16).padStart(4, "0")}`
    : `\\u{${code.toString(16)}}`;
};

/** At most `lengthMax` characters of `text`, then "…"; what cannot be printed is written as \uXXXX. */
export function plainText(text: string, lengthMax: number): string {
  const kept = text.length > lengthMax ? text.slice(0, lengthMax) : text;
  return kept.replace(unprintable, escaped) + (text.length > lengthMax ? "…" : "");
}
