// Where the time-out of a blocking command stands among its arguments. Type only.

interface Positional {
  readonly at: "first" | "last";
  /** What one unit of it is in milliseconds. 0 of them means: for ever. */
  readonly unitMs: number;
}

interface Optional {
  readonly at: "option";
  /** The word in front of it. Without it the command does not wait. */
  readonly token: string;
  /** How many words each other option takes, its own included. */
  readonly options: Readonly<Record<string, number>>;
  /** The word after which no option follows. */
  readonly until: string;
  readonly unitMs: number;
}

export type TimeoutPlace = Positional | Optional;
