/** The answer to a GET, as Node reads it. */
export interface ByteSource extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

/** Ends early, without an error, when the connection did: whoever reads counts. Leaving it closes the connection. */
export function bodyChunks(body: ByteSource, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = readChunks(body, signal);
      return {
        next: () => chunks.next(),
        async return() {
          // A generator that never began runs no `finally`.
          body.destroy();
          return chunks.return();
        },
      };
    },
  };
}

async function* readChunks(body: ByteSource, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch {
    // Whatever broke it: what has arrived is good, and the rest is asked for again.
    signal.throwIfAborted();
  } finally {
    body.destroy();
  }
}
