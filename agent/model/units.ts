// Branded numbers, so that a millisecond is never taken for a nanosecond, and the only
// conversions between them. Runs on both threads; imports nothing.

declare const unit: unique symbol;

/** Nanoseconds on the monotonic clock, as a float64: exact to 1 ns for 104 days of uptime. */
export type Ns = number & { readonly [unit]: "Ns" };
/** Milliseconds; on the monotonic clock unless the name says `EpochMs`. */
export type Ms = number & { readonly [unit]: "Ms" };
/** A count of bytes. */
export type Bytes = number & { readonly [unit]: "Bytes" };
/** Clock ticks of proc_pid_stat(5), 100 a second (USER_HZ). */
export type Ticks = number & { readonly [unit]: "Ticks" };
/**
 * A virtual address in this process. User space ends below 2^47 on x86-64 and 2^48 on arm64, so a
 * float64 holds every valid one exactly; a garbage word may be rounded and then fails its range check.
 */
export type Address = number & { readonly [unit]: "Address" };

export const ns = (value: number): Ns => value as Ns;
export const ms = (value: number): Ms => value as Ms;
export const bytes = (value: number): Bytes => value as Bytes;
export const ticks = (value: number): Ticks => value as Ticks;
export const address = (value: number): Address => value as Address;

export const nsToMs = (value: Ns): Ms => ms(value / 1e6);
export const msToNs = (value: Ms): Ns => ns(value * 1e6);
