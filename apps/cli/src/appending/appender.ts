import { type Aof, isAofError } from "@varve/aof";
import type { Clock } from "@varve/fs-core";

/** How long appends that block (the `sync` strategy) may keep the event loop from signals and timers. */
const sliceUs = 20_000;

/** Appends records one by one, waiting for the disk when it must and letting the event loop breathe. */
export class Appender {
  readonly #log: Aof;
  readonly #clock: Clock;
  readonly #isBlocking: boolean;
  readonly firstId: number;
  #records = 0;
  #bytes = 0;
  #sliceBeganUs: number;

  constructor(log: Aof, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#isBlocking = log.options.flushStrategy.kind === "sync";
    this.firstId = log.nextId;
    this.#sliceBeganUs = clock.monotonicUs();
  }

  get records(): number {
    return this.#records;
  }

  /** Payload bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends a copy of `record`. Returns a promise only when there is something to wait for: one per record would cost
   * more than the append.
   * @throws AofError, at once or through the promise
   */
  append(record: Uint8Array): Promise<void> | undefined {
    try {
      this.#log.append(record);
    } catch (error) {
      if (isAofError(error) && error.code === "BACKPRESSURE" && error.ready !== undefined) {
        return this.#appendWhenReady(record, error.ready);
      }
      throw error;
    }
    this.#records++;
    this.#bytes += record.length;
    return this.#isBlocking ? this.#breathe() : undefined;
  }

  async #appendWhenReady(record: Uint8Array, ready: Promise<void>): Promise<void> {
    await ready;
    await this.append(record);
  }

  #breathe(): Promise<void> | undefined {
    if (this.#clock.monotonicUs() - this.#sliceBeganUs < sliceUs) return undefined;
    return new Promise((resolve) => {
      this.#clock.defer(() => {
        this.#sliceBeganUs = this.#clock.monotonicUs();
        resolve();
      });
    });
  }
}
