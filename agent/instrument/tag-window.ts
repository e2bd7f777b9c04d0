// Numbers that count up (delivery tags, chunks written) and the ledger record that each stands for,
// in memory that grows with what is outstanding up to a limit, and with nothing else. Application
// thread, once or twice per message; allocates only when it grows.

const capacityMin = 16;
/** Outstanding at once on one channel; further ones are not recorded. 64 KB, where it comes to that. */
const capacityMax = 4096;
const none = 0;

export class TagWindow {
  private tags = new Float64Array(capacityMin);
  private sequences = new Float64Array(capacityMin);
  /** Nothing below it is outstanding. */
  private low = 1;
  private high = 0;

  /** Whether `tag` would find a place; grows if that makes one. */
  hasRoom(tag: number): boolean {
    while (this.tags[tag & (this.tags.length - 1)] !== none) {
      if (this.tags.length >= capacityMax) return false;
      this.grow();
    }
    return true;
  }

  /** For a tag that has room. Tags are above 0 and come in ascending order. */
  put(tag: number, sequence: number): void {
    const slot = tag & (this.tags.length - 1);
    this.tags[slot] = tag;
    this.sequences[slot] = sequence;
    if (this.low > this.high) this.low = tag;
    this.high = tag;
  }

  /** The record of `tag`, which is forgotten; 0 if there is none. */
  take(tag: number): number {
    const slot = tag & (this.tags.length - 1);
    if (this.tags[slot] !== tag) return none;
    this.tags[slot] = none;
    if (tag === this.low) this.low = tag + 1;
    return this.sequences[slot] as number;
  }

  /** Takes all up to and including `tag`, in ascending order but where tags lie far apart. */
  takeUpTo(tag: number, then: (sequence: number) => void): void {
    const last = Math.min(tag, this.high);
    if (last - this.low >= this.tags.length) this.takeScattered(last, then);
    for (let next = this.low; next <= last; next++) {
      const sequence = this.take(next);
      if (sequence !== none) then(sequence);
    }
    if (last >= this.low) this.low = last + 1;
  }

  takeAll(then: (sequence: number) => void): void {
    this.takeUpTo(this.high, then);
  }

  private takeScattered(last: number, then: (sequence: number) => void): void {
    for (let slot = 0; slot < this.tags.length; slot++) {
      const tag = this.tags[slot] as number;
      if (tag === none || tag > last) continue;
      this.tags[slot] = none;
      then(this.sequences[slot] as number);
    }
    this.low = last + 1;
  }

  private grow(): void {
    const { tags, sequences } = this;
    this.tags = new Float64Array(tags.length * 2);
    this.sequences = new Float64Array(tags.length * 2);
    for (let slot = 0; slot < tags.length; slot++) {
      const tag = tags[slot] as number;
      if (tag === none) continue;
      const place = tag & (this.tags.length - 1);
      this.tags[place] = tag;
      this.sequences[place] = sequences[slot] as number;
    }
  }
}
