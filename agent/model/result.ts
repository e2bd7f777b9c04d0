// A reading that can fail without being exceptional: /proc files vanish, memory is unmapped, a
// format differs. Readers return this; they never throw for what the machine gave them.

/**
 * Why there is no value.
 * - `denied`: the kernel refused (EACCES, EPERM).
 * - `gone`: it does not exist, or no longer (ENOENT, ESRCH, EIO on memory).
 * - `malformed`: it was read and is not what its format says.
 * - `limit`: one of our own limits stopped the reading.
 * - `unsupported`: this platform, architecture or version does not have it.
 */
export type Why = "denied" | "gone" | "malformed" | "limit" | "unsupported";

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: Why; readonly detail: string };

export const succeed = <T>(value: T): Result<T> => ({ ok: true, value });

/** `detail` names what was read and what was found, in words fit for a user. */
export const fail = (why: Why, detail: string): Result<never> => ({ ok: false, why, detail });
