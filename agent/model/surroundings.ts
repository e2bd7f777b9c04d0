// What else went on in the process about the time of an incident, beside what was usual before. Plain
// values; none of it is a cause.

export interface Surroundings {
  /** Of the time that belongs to the incident, in whole seconds. */
  readonly seconds: number;
  readonly opened: readonly { readonly server: string; readonly count: number }[];
  readonly closed: number;
  /** Commands that ended without a reply: time-out, lost connection, disconnect. */
  readonly givenUp: number;
  /** Commands outstanding at once, at most. */
  readonly openPeak: number;
  /** Resident memory at its end; null where it was not read. */
  readonly rssBytes: number | null;
  readonly before: {
    readonly seconds: number;
    readonly opened: number;
    readonly closed: number;
    readonly givenUp: number;
    readonly openPeak: number;
    readonly rssBytes: number | null;
  };
}
