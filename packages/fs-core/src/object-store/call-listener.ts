/** Calls of functions that the user gave to be told something: what they do wrong must not become a request's failure. */

/** What `listener` throws, or rejects with, becomes a warning of the process with code `VARVE_LISTENER_FAILED`. */
export function callListener<T>(what: string, listener: (event: T) => unknown, event: T): void {
  const warn = (error: unknown): void => {
    const detail = error instanceof Error ? error.message : String(error);
    process.emitWarning(`${what} failed: ${detail}`, { code: "VARVE_LISTENER_FAILED" });
  };
  try {
    const pending = listener(event);
    if (pending instanceof Promise) pending.catch(warn);
  } catch (error) {
    warn(error);
  }
}
