// How often the application thread beats: both threads must agree on it.

import { ms } from "./units";

/** Half of it is the expected error of a stall's start under load. A beat costs about 1 µs of a busy loop. */
export const fastPeriodMs = ms(10);
/** An idle process wakes twice a second for us; each wake-up costs 100 to 200 µs of CPU. */
export const slowPeriodMs = ms(500);
