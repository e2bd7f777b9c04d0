// Why an AMQP connection ended, in one word that is safe to tell. Application thread.

/** Codes of Node (`ECONNRESET`), TLS and AMQP (`CONNECTION_FORCED`) look like this; texts may hold names. */
const code = /^[A-Z][A-Z0-9_]{2,39}$/;

/** The error's code; null where it has none. */
export function endReason(error: unknown): string | null {
  const found = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof found === "string" && code.test(found) ? found : null;
}
