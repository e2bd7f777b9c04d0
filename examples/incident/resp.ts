// Replies of the Redis protocol (RESP2), for the client that speaks to the socket itself.
// https://redis.io/docs/latest/develop/reference/protocol-spec/

export type Reply = string | number | null | readonly Reply[];

interface Parsed {
  readonly reply: Reply | Error;
  /** Where the next reply starts. */
  readonly end: number;
}

/** Parses one reply at `start`; null when it is not all there yet. `data` has one character for each byte (latin1). */
export function parseReply(data: string, start = 0): Parsed | null {
  const lineEnd = data.indexOf("\r\n", start);
  if (lineEnd < 0) return null;
  const line = data.slice(start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (data[start]) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: new Error(line), end };
    case ":":
      return { reply: Number(line), end };
    case "$":
      return parseText(data, end, Number(line));
    case "*":
      return parseList(data, end, Number(line));
    default:
      return { reply: new Error(`not a Redis reply: ${line}`), end };
  }
}

function parseText(data: string, start: number, length: number): Parsed | null {
  if (length < 0) return { reply: null, end: start };
  const end = start + length + 2;
  if (data.length < end) return null;
  const bytes = Buffer.from(data.slice(start, start + length), "latin1");
  return { reply: bytes.toString("utf8"), end };
}

function parseList(data: string, start: number, count: number): Parsed | null {
  if (count < 0) return { reply: null, end: start };
  const items: Reply[] = [];
  let end = start;
  while (items.length < count) {
    const item = parseReply(data, end);
    if (item === null || item.reply instanceof Error) return item;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
