// V8's own words on a stack, as an opinion to hold ours against: what Error.prepareStackTrace is given.

export interface SaidFrame {
  /** One line of a stack trace, without "    at ". */
  readonly text: string;
  readonly functionName: string | null;
}

export interface NamedPlace {
  readonly name: string | null;
  /** `file:line:column`; null for a builtin. */
  readonly place: string | null;
}

/** For Error.prepareStackTrace: the sites as plain values. */
export const plainFrames = (sites: readonly NodeJS.CallSite[]): SaidFrame[] =>
  sites.map((site) => ({ text: String(site), functionName: site.getFunctionName() }));

/** Innermost first. An awaiting function is on no stack. */
export function saidPlaces(said: readonly SaidFrame[]): NamedPlace[] {
  const live = said.filter(({ text }) => !text.startsWith("async "));
  return live.map(({ text, functionName }) => {
    const named = /^(.*?) \((.*)\)$/.exec(text);
    const place = (named?.[2] ?? text).replace(", <anonymous>", "");
    return {
      // A nameless function is printed with the property that led to it, and so is ` [as x]`.
      name: functionName === null ? null : (named?.[1]?.replace(/ \[as .*$/, "") ?? null),
      place: place === "<anonymous>" ? null : place,
    };
  });
}

/** V8 may put a class before the name that we had to leave out; never may ours be another one. */
export function withoutUnreadClass(
  said: readonly NamedPlace[],
  read: readonly NamedPlace[],
): NamedPlace[] {
  return said.map((frame, index) => {
    const name = read[index]?.name ?? null;
    return name !== null && frame.name?.endsWith(`.${name}`) ? { ...frame, name } : frame;
  });
}
