/**
 * Prints the id of each appended record once it is durable, in order.
 *
 * Always true:
 *  A1  every printed id is durable: it was printed after the log said so
 *  A2  ids are printed in order, each once: what is printed is always `(start, acknowledgedId]`
 *  A3  memory does not grow with the records in flight: two numbers say which they are
 */
import type { Aof } from "@varve/aof";
import type { Output } from "../process/output.ts";

export interface AcknowledgerSettings {
  /**
   * Ask for a flush whenever something waits, so that an id appears as soon as the disk allows and all that is appended
   * meanwhile shares the next flush. False: wait until the log's own strategy flushes.
   */
  readonly isEager: boolean;
  readonly isJson: boolean;
}

/** Appended records whose ids are not printed yet, at most: beyond that no more input is read. */
const maxWaiting = 65_536;

export class Acknowledger {
  readonly #log: Aof;
  readonly #output: Output;
  readonly #settings: AcknowledgerSettings;
  readonly #failed = new AbortController();
  readonly #loop: Promise<void>;
  #acknowledgedId: number;
  #count = 0;
  #isEnding = false;
  #failure: unknown;
  #wakeUp: (() => void) | undefined;
  #room: (() => void) | undefined;

  /** Begins with the next record that is appended. */
  constructor(log: Aof, output: Output, settings: AcknowledgerSettings) {
    this.#log = log;
    this.#output = output;
    this.#settings = settings;
    this.#acknowledgedId = log.lastId;
    this.#loop = this.#run().catch((error: unknown) => {
      this.#failure = error;
      this.#failed.abort();
      this.#room?.();
    });
  }

  /** Ids printed. */
  get count(): number {
    return this.#count;
  }

  /** Fires when no more ids can be printed; {@link finish} says why. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Tells that records were appended. Returns a promise when it is time to wait. */
  noteAppended(): Promise<void> | undefined {
    this.#wake();
    return this.#waiting > maxWaiting ? this.#untilRoom() : undefined;
  }

  /**
   * Makes everything durable and prints the rest.
   * @throws AofError, OutputClosed or CliError, the first failure
   */
  async finish(): Promise<void> {
    this.#isEnding = true;
    this.#wake();
    try {
      if (this.#waiting > 0) await this.#log.flush();
    } finally {
      await this.#loop;
    }
    if (this.#failed.signal.aborted) throw this.#failure;
  }

  get #waiting(): number {
    return this.#log.lastId - this.#acknowledgedId;
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#waiting === 0) {
        if (this.#isEnding) return;
        await this.#sleep();
      } else {
        if (this.#settings.isEager) await this.#log.flush();
        else await this.#log.whenDurable(this.#acknowledgedId + 1);
        await this.#print(this.#log.durableId);
      }
    }
  }

  async #print(lastId: number): Promise<void> {
    let text = "";
    for (let id = this.#acknowledgedId + 1; id <= lastId; id++)
      text += this.#settings.isJson ? `{"id":${id}}\n` : `${id}\n`;
    await this.#output.write(text);
    this.#count += lastId - this.#acknowledgedId;
    this.#acknowledgedId = lastId;
    this.#room?.();
  }

  async #untilRoom(): Promise<void> {
    while (this.#waiting > maxWaiting / 2 && !this.#failed.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  #wake(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }
}
