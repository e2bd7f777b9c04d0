// What an agent said of one stall, in the suite's own words. A reader makes these of an agent's output.

export interface Peer {
  readonly host: string;
  readonly port: number;
}

export interface Finding {
  readonly threadId: number;
  readonly startEpochMs: number;
  readonly durationMs: number;
  /** One of the causes of docs/causes.md; `unknown` where the agent does not say. */
  readonly cause: string;
  readonly module: string | null;
  readonly symbol: string | null;
  readonly syscall: string | null;
  readonly peer: Peer | null;
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** How an agent under test is started and read; another agent's is a module with the same three exports. */
export interface AgentReader {
  readonly name: string;
  /** Settings with which it writes what it finds into this file, and serves and prints nothing. */
  environment(outputFile: string): Readonly<Record<string, string>>;
  /** Its output, "" when it wrote none. Throws at what it cannot read. */
  read(output: string): readonly Finding[];
}
