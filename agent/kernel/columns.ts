// Columns of a line divided by spaces, read in place in a Buffer. Pure.

/** Where column `index`, counted from 0, begins; `end` when there are not so many. */
export function columnStart(buffer: Buffer, start: number, end: number, index: number): number {
  let at = start;
  for (let column = 0; at < end; column += 1) {
    while (at < end && buffer[at] === SPACE) at += 1;
    if (column === index) break;
    while (at < end && buffer[at] !== SPACE) at += 1;
  }
  return at;
}

/** The decimal that column `index` begins with; null when there is none. */
export function decimalColumn(
  buffer: Buffer,
  start: number,
  end: number,
  index: number,
): number | null {
  const first = columnStart(buffer, start, end, index);
  let value = 0;
  let at = first;
  for (; at < end; at += 1) {
    const digit = (buffer[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at === first ? null : value;
}

const SPACE = 0x20;
const ZERO = 0x30;
