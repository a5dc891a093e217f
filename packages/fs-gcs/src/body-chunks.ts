import type { IncomingMessage } from "node:http";
import { StoreError } from "@varve/fs-core";
import { crc32c } from "./crc32c.ts";

/**
 * The bytes of an answer. Ends early, without an error, when the connection did. Leaving it destroys the answer.
 * @param answer undefined: no bytes
 * @param wanted CRC-32C of all bytes; undefined: not known, or only a part is read
 * @throws StoreError `CORRUPT` after the last byte; what the signal says
 */
export function bodyChunks(
  answer: IncomingMessage | undefined,
  wanted: number | undefined,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const chunks = answer === undefined ? none() : checkedChunks(answer, wanted, signal);
      return {
        next: () => chunks.next(),
        async return() {
          // A generator that never began does not run its `finally`.
          answer?.destroy();
          return chunks.return();
        },
      };
    },
  };
}

type Chunks = AsyncGenerator<Uint8Array, void, void>;

async function* none(): Chunks {}

async function* checkedChunks(answer: IncomingMessage, wanted: number | undefined, signal: AbortSignal): Chunks {
  let found = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (wanted !== undefined) found = crc32c(chunk, found);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionEnd(error)) return;
    throw error;
  } finally {
    answer.destroy();
  }
  if (answer.complete && wanted !== undefined && found !== wanted) {
    throw new StoreError("CORRUPT", "the bytes that arrived do not have the object's CRC-32C");
  }
}

function isConnectionEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
