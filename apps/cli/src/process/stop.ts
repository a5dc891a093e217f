import type { Clock } from "@varve/fs-core";
import { exitCodeOfSignal } from "../exit-codes.ts";

/** Signals that ask a program to end. */
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Launchers repeat a signal that the whole process group got; a person's second Ctrl-C comes later. */
const repeatMs = 500;

/**
 * Ctrl-C and its relatives, for verbs that have something to finish. Until {@link listen} they end the process as they
 * always do, which is right for verbs that only read. A second one ends it at once.
 */
export class Stop {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  #received: NodeJS.Signals | undefined;
  #receivedAtUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on the first signal fires {@link signal} instead of ending the process. Idempotent. */
  listen(): void {
    for (const name of stopSignals) {
      if (process.listeners(name).includes(this.#onSignal)) continue;
      process.on(name, this.#onSignal);
    }
  }

  /** Back to normal: nothing keeps listening. */
  release(): void {
    for (const name of stopSignals) process.off(name, this.#onSignal);
  }

  /** Fires at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Which one came. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  /** 130 for SIGINT and so on; undefined while none came. */
  get exitCode(): number | undefined {
    return this.#received === undefined ? undefined : exitCodeOfSignal(this.#received);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const nowUs = this.#clock.monotonicUs();
    if (this.#received === undefined) {
      this.#received = name;
      this.#receivedAtUs = nowUs;
      this.#controller.abort();
    } else if (nowUs - this.#receivedAtUs >= repeatMs * 1000) {
      this.release();
      process.kill(process.pid, name);
    }
  };
}
