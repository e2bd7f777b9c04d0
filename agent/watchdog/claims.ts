// Which stall each command is charged to: the first one that has most of its time. Watchdog thread.

/** As many as the ledger holds; older ones cannot be asked for any more. */
const claimsMax = 16_384;

export interface Claims {
  has(sequence: number): boolean;
  /** Whether no other stall than this one has it. */
  isFreeFor(sequence: number, stallId: number): boolean;
  claim(sequence: number, stallId: number): void;
}

export function createClaims(): Claims {
  const stallBySequence = new Map<number, number>();
  return {
    has: (sequence) => stallBySequence.has(sequence),
    isFreeFor: (sequence, stallId) => (stallBySequence.get(sequence) ?? stallId) === stallId,
    claim(sequence, stallId) {
      stallBySequence.set(sequence, stallId);
      const [oldest] = stallBySequence.keys();
      if (stallBySequence.size > claimsMax && oldest !== undefined) stallBySequence.delete(oldest);
    },
  };
}
