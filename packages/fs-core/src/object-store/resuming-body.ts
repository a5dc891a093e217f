/**
 * The bytes of one version, however often the connection breaks.
 *
 * Always true:
 *  I1  bytes are yielded in order, each once, all of one version
 *  I2  a body that ends without an error has yielded exactly its range; if that is the whole object and its checksum is
 *      known, the bytes have it
 *  I3  at most one request is open; the call is over when the body is
 */
import { Crc64 } from "../checksum/crc64-nvme.ts";
import type { ObjectStoreDriver } from "./object-driver.ts";
import type { ByteRange, ObjectBody, ObjectInfo } from "./object-store.ts";
import { openBody, type OpenBody } from "./open-body.ts";
import { located, type StoreCall } from "./store-call.ts";
import { isStoreError, StoreError, type StoreErrorCode } from "./store-error.ts";
import { objectInfo } from "./stored-metadata.ts";
import type { Clock } from "../clock.ts";

export interface BodyParts {
  readonly driver: ObjectStoreDriver;
  readonly call: StoreCall;
  readonly key: string;
  readonly clock: Clock;
  readonly stallTimeoutMs: number;
  /** Attempts for each mebibyte. */
  readonly attemptsMax: number;
  readonly onEnd: () => void;
}

/** So many bytes make up for all that broke before: a connection that gives a few and breaks is no progress. */
const progressBytes = 2 ** 20;

const limitBytesDefault = 64 * 2 ** 20;

export class ResumingBody implements ObjectBody {
  readonly info: ObjectInfo;
  readonly range: ByteRange;
  readonly #parts: BodyParts;
  /** Opened and not read yet. */
  #current: OpenBody | undefined;
  /** Being read. */
  #reading: OpenBody | undefined;
  #isTaken = false;
  #isOver = false;

  constructor(parts: BodyParts, first: OpenBody) {
    this.#parts = parts;
    this.#current = first;
    this.info = objectInfo(first.answer.info);
    this.range = { offset: first.answer.range.offset, length: first.answer.range.length };
    // Nobody may ever read it, or say that nobody will.
    parts.call.onEnd(() => this.#finish());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#take();
    try {
      yield* this.#whole();
    } finally {
      this.#finish();
    }
  }

  async bytes({ limitBytes = limitBytesDefault }: { readonly limitBytes?: number } = {}): Promise<Uint8Array> {
    const { length } = this.range;
    if (typeof limitBytes !== "number" || !(limitBytes >= 0)) {
      throw this.#error("INVALID_ARGUMENT", `limitBytes: got ${String(limitBytes)}, want a number of at least 0`);
    }
    if (length > limitBytes) {
      throw this.#error("TOO_LARGE", `the answer has ${length} bytes, and limitBytes is ${limitBytes}`);
    }
    this.#take();
    try {
      return await this.#collected();
    } catch (error) {
      // The bytes may have been changed on the way: what is stored gets a second chance.
      if (!isStoreError(error) || error.code !== "CORRUPT") throw error;
      return await this.#collected();
    } finally {
      this.#finish();
    }
  }

  async cancel(): Promise<void> {
    this.#isTaken = true;
    this.#finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  async #collected(): Promise<Uint8Array> {
    const whole = new Uint8Array(this.range.length);
    let at = 0;
    for await (const chunk of this.#whole()) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    return whole;
  }

  async *#whole(): AsyncGenerator<Uint8Array, void, undefined> {
    const { length } = this.range;
    const { call, attemptsMax } = this.#parts;
    const expected = this.#expectedChecksum();
    const crc = expected === undefined ? undefined : new Crc64();
    let got = 0;
    let counted = 0;
    for (let attempt = 1; got < length; ) {
      const body = this.#current ?? (await this.#continueAt(got));
      this.#current = undefined;
      this.#reading = body;
      let failure: unknown;
      let isDone = false;
      try {
        for await (const chunk of this.#timed(body)) {
          if (got + chunk.byteLength > length) throw this.#error("CORRUPT", `more than the ${length} bytes promised`);
          got += chunk.byteLength;
          crc?.update(chunk);
          if (chunk.byteLength > 0) yield chunk;
        }
        isDone = true;
      } catch (error) {
        failure = error;
      } finally {
        if (isDone) body.release();
        else body.stop();
        this.#reading = undefined;
      }
      call.assertRunning();
      if (isStoreError(failure) && !failure.retryable) throw this.#located(failure);
      attempt = got - counted >= progressBytes ? 1 : attempt + 1;
      if (attempt === 1) counted = got;
      if (got < length && attempt > attemptsMax) {
        throw this.#error(
          "UNAVAILABLE",
          `the answer broke off after ${got} of ${length} bytes, again and again`,
          failure,
        );
      }
    }
    if (crc !== undefined && crc.digest() !== expected) {
      throw this.#error("CORRUPT", "the bytes do not have the checksum that was stored with them");
    }
  }

  /** Chunks, each within the stall timeout. */
  async *#timed({ answer, stop }: OpenBody): AsyncGenerator<Uint8Array, void, undefined> {
    const { clock, call, stallTimeoutMs } = this.#parts;
    const chunks = answer.chunks[Symbol.asyncIterator]();
    let isDone = false;
    try {
      for (;;) {
        const next = await withinStall(chunks.next(), clock, stallTimeoutMs, call);
        if (next.done === true) {
          isDone = true;
          return;
        }
        yield next.value;
      }
    } finally {
      if (!isDone) {
        stop();
        // Not waited for: what hangs does not end.
        void Promise.resolve(chunks.return?.()).catch(() => {});
      }
    }
  }

  #continueAt(got: number): Promise<OpenBody> {
    const { call, driver, key } = this.#parts;
    const { offset, length } = this.range;
    const range = { offset: offset + got, length: length - got };
    return openBody(driver, call, key, { range, ifMatch: this.info.version });
  }

  #expectedChecksum(): bigint | undefined {
    const { offset, length } = this.range;
    return offset === 0 && length === this.info.size ? this.info.checksum : undefined;
  }

  #take(): void {
    if (this.#isTaken) throw this.#error("CLOSED", "a body is read once");
    this.#isTaken = true;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#current?.stop();
    this.#reading?.stop();
    this.#current = undefined;
    this.#parts.call.close();
    this.#parts.onEnd();
  }

  #located(error: StoreError): StoreError {
    const { key, driver } = this.#parts;
    return located(error, `get ${JSON.stringify(key)} on ${driver.url}`, {
      key,
      operation: "get",
      store: driver.url,
    });
  }

  #error(code: StoreErrorCode, problem: string, cause?: unknown): StoreError {
    const { key, driver } = this.#parts;
    return new StoreError(code, `get ${JSON.stringify(key)} on ${driver.url}: ${problem}`, {
      key,
      operation: "get",
      store: driver.url,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function withinStall<T>(next: Promise<T>, clock: Clock, timeoutMs: number, call: StoreCall): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      timer.cancel();
      ignoreEnd();
    };
    const onAbort = (): void => {
      end();
      reject(new StoreError("ABORTED", "stopped"));
    };
    const timer = clock.after(
      timeoutMs,
      () => {
        end();
        reject(new StoreError("TIMEOUT", `no byte within ${timeoutMs} ms`));
      },
      { background: true },
    );
    const ignoreEnd = call.onEnd(onAbort);
    if (call.isOver) onAbort();
    next.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
