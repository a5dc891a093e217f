import type { Readable } from "node:stream";

/**
 * The bytes of an answer. They end early when the connection does; the reader counts. The connection closes when the
 * iteration is left or `signal` fires, whether or not it had begun.
 */
export function responseBody(stream: Readable, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const stop = (): void => void stream.destroy();
  // Without a listener the error of a body that nobody reads would end the process.
  stream.on("error", () => {});
  stream.once("close", () => signal.removeEventListener("abort", stop));
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return {
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
      const chunks = stream[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const { done, value } = await chunks.next();
            return done === true ? { done, value: undefined } : { done: false, value: value as Uint8Array };
          } catch (error) {
            if (signal.aborted) throw error;
            return { done: true, value: undefined };
          }
        },
        async return() {
          stop();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
