/**
 * A body at a given rate: handed out in pieces that are worth a tenth of a second, so that it trickles evenly and its reader
 * does not take it for a stalled one (unless it shares the rate with ten times as many bodies as its reader waits seconds).
 * Leaving it leaves the wrapped one, begun or not.
 */
import type { Clock } from "../../clock.ts";
import type { DriverCall } from "../object-driver.ts";
import { waitFor } from "./driver-request.ts";
import { takeAll, type TokenBucket } from "./token-bucket.ts";

const piecesPerSecond = 10;

export function pacedChunks(
  chunks: AsyncIterable<Uint8Array>,
  clock: Clock,
  bucket: TokenBucket,
  call: DriverCall,
): AsyncIterable<Uint8Array> {
  const paced = new PacedChunks(chunks, clock, bucket, call);
  return { [Symbol.asyncIterator]: () => paced };
}

class PacedChunks implements AsyncIterator<Uint8Array, void, undefined> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #call: DriverCall;
  readonly #pieceBytes: number;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>, clock: Clock, bucket: TokenBucket, call: DriverCall) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#clock = clock;
    this.#bucket = bucket;
    this.#call = call;
    this.#pieceBytes = Math.max(1, Math.floor(bucket.perSecond / piecesPerSecond));
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    while (this.#rest.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return { done: true, value: undefined };
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, this.#pieceBytes);
    this.#rest = this.#rest.subarray(piece.byteLength);
    try {
      await waitFor(this.#call, () =>
        takeAll(this.#clock, [{ bucket: this.#bucket, amount: piece.byteLength }], this.#call.signal),
      );
    } catch (error) {
      await this.return();
      throw error;
    }
    return { done: false, value: piece };
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#rest = new Uint8Array(0);
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }
}
