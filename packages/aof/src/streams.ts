/**
 * Readers as streams, for what takes streams: HTTP answers, pipelines, transforms. `for await` needs none of this.
 *
 * A stream owns its reader: it ends with it, and cancelling or destroying the stream releases it, even while it waits at
 * the tail of the log.
 */
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { AofError } from "./errors.ts";
import { BatchReader } from "./log-reader.ts";

/** What {@link toWebStream} and {@link toNodeStream} take: the readers of `read` and `readBatches`. */
export type ReaderSource<T> = AsyncIterableIterator<T> & AsyncDisposable;

/**
 * A web stream of what `reader` yields. Nothing is read before it is asked for, so borrowed batches are good until the next
 * read. It errors with the reader's `AofError`.
 */
export function toWebStream<T>(reader: ReaderSource<T>): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller): Promise<void> {
        const result = await reader.next();
        if (result.done === true) controller.close();
        else controller.enqueue(result.value);
      },
      async cancel(): Promise<void> {
        await reader[Symbol.asyncDispose]();
      },
    },
    { highWaterMark: 0 },
  );
}

/** How a Node stream reads. */
export interface NodeStreamOptions {
  /** Records, or batches, read ahead of who consumes them. 0..2^31-1. Default 16 for records, 0 for batches. */
  readonly highWaterMark?: number;
}

/**
 * A Node stream, in object mode, of what `reader` yields. It is destroyed with the reader's `AofError`.
 * @throws AofError `INVALID_ARGUMENT` for borrowed batches that would be read ahead: reading on takes their memory
 */
export function toNodeStream<T>(reader: ReaderSource<T>, options: NodeStreamOptions = {}): Readable {
  const isBatches = reader instanceof BatchReader;
  const { highWaterMark = isBatches ? 0 : 16 } = options;
  if (!Number.isInteger(highWaterMark) || highWaterMark < 0 || highWaterMark > 2 ** 31 - 1) {
    throw new AofError(
      "INVALID_ARGUMENT",
      `highWaterMark: got ${String(highWaterMark)}, want a whole number in 0..2147483647`,
    );
  }
  if (isBatches && reader.isBorrowing && highWaterMark > 0) {
    throw new AofError(
      "INVALID_ARGUMENT",
      "highWaterMark: borrowed batches are good until the next one is read; want 0",
    );
  }
  return new Readable({
    objectMode: true,
    highWaterMark,
    read(): void {
      reader.next().then(
        (result) => this.push(result.done === true ? null : result.value),
        (error: unknown) => this.destroy(error as Error),
      );
    },
    async destroy(error, done): Promise<void> {
      let failure = error;
      try {
        await reader[Symbol.asyncDispose]();
      } catch (thrown) {
        failure ??= thrown as Error;
      }
      done(failure);
    },
  });
}
