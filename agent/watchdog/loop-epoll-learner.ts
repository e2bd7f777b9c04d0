// Learns which epoll descriptor is the loop's own, by watching a healthy loop go to sleep. During
// execSync the main thread sleeps in another epoll, so sleep alone does not tell.

/** Sightings with a fresh beat before a descriptor is believed. */
const sightingsNeeded = 8;
/** How much more often it must be seen than the runner-up: short execSyncs are seen too. */
const leadNeeded = 3;
/** A process has one loop a thread, and a spawnSync now and then. */
const candidatesMax = 64;

export interface LoopEpollLearner {
  /** The thread slept in epoll on `fd`; `isFresh`: right after a beat that was on time. */
  saw(fd: number, isFresh: boolean): void;
  /** null until learned. Learned once: a loop keeps its descriptor for life. */
  fd(): number | null;
}

export function createLoopEpollLearner(): LoopEpollLearner {
  const sightings = new Map<number, number>();
  let learned: number | null = null;
  return {
    saw(fd, isFresh) {
      if (learned !== null || !isFresh) return;
      if (!sightings.has(fd) && sightings.size >= candidatesMax) return;
      sightings.set(fd, (sightings.get(fd) ?? 0) + 1);
      learned = leader(sightings);
    },
    fd: () => learned,
  };
}

/** The descriptor seen often enough and far more often than any other; else null. */
function leader(sightings: ReadonlyMap<number, number>): number | null {
  const [first, second] = [...sightings].sort((a, b) => b[1] - a[1]);
  if (first === undefined || first[1] < sightingsNeeded) return null;
  return first[1] >= (second?.[1] ?? 0) * leadNeeded ? first[0] : null;
}
