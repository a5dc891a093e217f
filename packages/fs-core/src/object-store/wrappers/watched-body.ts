/**
 * An answer under way, with its end noticed: read to the end, failed, left, or stopped by the request's signal.
 *
 * Always true:
 *  I1  `onEnd` is called exactly once, though the body be stopped before it was read; nothing stays on the signal then
 *  I2  leaving the iteration leaves the wrapped one, whether or not it had begun (an async generator would not)
 */
import type { DriverBody } from "../object-driver.ts";

/** What a wrapper wants to know of a body. */
export interface BodyWatch {
  readonly onChunk?: (bytes: number) => void;
  /** `failure` is what the body threw; undefined when it ended, was left or was stopped. */
  readonly onEnd?: (failure: unknown) => void;
  /** What the reader gets in place of what the body threw. */
  readonly mapError?: (error: unknown) => unknown;
}

export function watchBody(body: DriverBody, signal: AbortSignal, watch: BodyWatch): DriverBody {
  const chunks = new WatchedChunks(body.chunks, signal, watch);
  return { info: body.info, range: body.range, chunks: { [Symbol.asyncIterator]: () => chunks } };
}

class WatchedChunks implements AsyncIterator<Uint8Array, void, undefined> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #watch: BodyWatch;
  readonly #onAbort = (): void => this.#end(undefined);
  #isOver = false;

  constructor(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal, watch: BodyWatch) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#watch = watch;
    // A signal that fired already tells nobody any more.
    if (signal.aborted) this.#end(undefined);
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    try {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.#end(undefined);
        return { done: true, value: undefined };
      }
      this.#watch.onChunk?.(next.value.byteLength);
      return next;
    } catch (error) {
      this.#end(error);
      throw this.#watch.mapError?.(error) ?? error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#end(undefined);
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }

  #end(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#watch.onEnd?.(failure);
  }
}
