/**
 * One call of a store and its requests: deadline, the caller's signal, attempts.
 *
 * Always true:
 *  I1  no request outlives its deadline, nor the call's: its signal fires, and it is not waited for much longer
 *  I2  `isOutcomeUnknown` is true from the first committing request of which it is not known what it did; a call that
 *      ends early says `unknown` too when a request of it had changed something
 *  I3  nothing is sent once the call has ended, and nothing stays registered on the caller's signal once the call has ended
 */
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { DriverCall } from "./object-driver.ts";
import type { CallOptions } from "./object-store.ts";
import { RequestDeadline } from "./request-deadline.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { describeCause, isStoreError, retold, StoreError, type StorePlace } from "./store-error.ts";
import { type ResolvedStoreSettings, timeoutMsMax } from "./store-settings.ts";

/** What every call of a store shares. */
export interface CallParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ResolvedStoreSettings;
  readonly budget: RetryBudget;
  readonly url: string;
}

/** Of one request. */
export interface RequestOptions {
  /** Bytes that it sends: it gets more time. */
  readonly bytes?: number;
  /** Whether it may change what others see. */
  readonly commits?: boolean;
  /** Codes that are not tried again although they are retryable. */
  readonly finalCodes?: readonly string[];
}

/** Sends a request once. `progress` says that something came of it: the request's own deadline begins anew. */
export type SendRequest<T> = (call: DriverCall, progress: () => void) => Promise<T>;

type Ending = "aborted" | "deadline" | "closed";

export class StoreCall {
  readonly operation: string;
  readonly key: string | undefined;
  readonly #parts: CallParts;
  /** Made when somebody asks for the signal: most calls end without. */
  #controller: AbortController | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #callerSignal: AbortSignal | undefined;
  readonly #onCallerAbort = (): void => this.#end("aborted");
  readonly #deadline: { cancel(): void } | undefined;
  readonly #timeoutMs: number;
  #ending: Ending | undefined;
  #isOutcomeUnknown = false;
  #hasChanged = false;

  /** @param options `timeoutMs` Infinity: the requests' own deadlines only */
  constructor(parts: CallParts, operation: string, key: string | undefined, options: CallOptions) {
    this.#parts = parts;
    this.operation = operation;
    this.key = key;
    this.#timeoutMs = options.timeoutMs ?? parts.settings.callTimeoutMs;
    assertTimeout(this.#timeoutMs, operation);
    assertSignal(options.signal, operation);
    this.#callerSignal = options.signal;
    if (this.#timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#deadline = parts.clock.after(this.#timeoutMs, () => this.#end("deadline"), { background: true });
    }
    if (options.signal?.aborted === true) this.#end("aborted");
    else options.signal?.addEventListener("abort", this.#onCallerAbort, { once: true });
  }

  /** Fires when the caller's does, at the deadline, and at {@link close}. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ending !== undefined) this.#controller.abort(over);
    }
    return this.#controller.signal;
  }

  /**
   * Calls `listener` once, when {@link signal} fires; never, if it has. Costs less than a listener on the signal.
   * @returns takes it away
   */
  onEnd(listener: () => void): () => void {
    if (this.#ending === undefined) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get isOutcomeUnknown(): boolean {
    return this.#isOutcomeUnknown;
  }

  /** Whether the caller's signal fired, or the deadline passed: nobody waits any more for what is still to be done. */
  get isEnded(): boolean {
    return this.#ending === "aborted" || this.#ending === "deadline";
  }

  /** Whether nothing may be sent any more: {@link signal} has fired. */
  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  /** The deadline does not hold any more: what follows takes as long as its reader does. */
  disarm(): void {
    this.#deadline?.cancel();
  }

  /** Ends what is still under way. Idempotent. */
  close(): void {
    this.#deadline?.cancel();
    this.#callerSignal?.removeEventListener("abort", this.#onCallerAbort);
    this.#end("closed");
  }

  /** @throws StoreError `ABORTED`, `TIMEOUT`, `CLOSED` */
  assertRunning(): void {
    if (this.#ending !== undefined) throw this.#ended();
  }

  /** Runs a request until it succeeds, cannot succeed, or may not be tried again. @throws StoreError */
  async request<T>(
    operation: string,
    send: SendRequest<T>,
    { bytes = 0, commits = false, finalCodes = [] }: RequestOptions = {},
  ): Promise<T> {
    const { settings, budget } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      this.assertRunning();
      try {
        const result = await this.#once(send, attempt, this.#requestTimeoutMs(bytes));
        budget.refill();
        if (commits) this.#hasChanged = true;
        return result;
      } catch (thrown) {
        const error = this.#typed(thrown, operation);
        if (commits && error.outcome === "unknown") this.#isOutcomeUnknown = true;
        if (this.#ending !== undefined) throw this.#ended(error, commits && isConditionRefusal(error));
        const isFinal = !error.retryable || finalCodes.includes(error.code) || attempt >= settings.retry.attemptsMax;
        if (isFinal || !budget.take()) throw error;
        await this.#pause(attempt, error.retryAfterMs ?? 0);
      }
    }
  }

  async #once<T>(send: SendRequest<T>, attempt: number, timeoutMs: number): Promise<T> {
    const controller = new AbortController();
    const onEnd = (): void => controller.abort(over);
    const ignoreEnd = this.onEnd(onEnd);
    let isLate = false;
    const deadline = new RequestDeadline(this.#parts.clock, timeoutMs, () => {
      isLate = true;
      controller.abort();
    });
    const waiting = async <R>(turn: () => Promise<R>): Promise<R> => {
      const result = await deadline.paused(turn);
      if (controller.signal.aborted) throw new StoppedError(true);
      return result;
    };
    // A driver that does not listen to its signal must not hold the caller.
    const stopped = new Promise<never>((_resolve, reject) => {
      controller.signal.addEventListener("abort", () => reject(new StoppedError(deadline.isPaused)), { once: true });
    });
    stopped.catch(() => {});
    try {
      const sent = send({ signal: controller.signal, attempt, waiting }, () => deadline.restart());
      sent.catch(() => {});
      return await Promise.race([sent, stopped]);
    } catch (error) {
      // An answer that was given up has a connection, and nobody else to close it.
      controller.abort();
      if (isLate) throw new StoreError("TIMEOUT", `no answer within ${timeoutMs} ms`, { outcome: "unknown" });
      throw error;
    } finally {
      deadline.end();
      ignoreEnd();
    }
  }

  #requestTimeoutMs(bytes: number): number {
    const { requestTimeoutMs, bytesPerSecondMin } = this.#parts.settings;
    return Math.min(timeoutMsMax, Math.ceil(requestTimeoutMs + (bytes / bytesPerSecondMin) * 1000));
  }

  async #pause(attempt: number, retryAfterMs: number): Promise<void> {
    const { clock, random, settings } = this.#parts;
    const { baseDelayMs, maxDelayMs } = settings.retry;
    const longest = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempt - 1, 30));
    try {
      const delayMs = Math.min(timeoutMsMax, Math.max(retryAfterMs, random.next() * longest));
      await clock.sleep(delayMs, { signal: this.signal });
    } catch {
      throw this.#ended();
    }
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
    this.#controller?.abort(over);
  }

  /** @param isUntold the last answer may be about a success of ours, and there is no time to look */
  #ended(last?: StoreError, isUntold = false): StoreError {
    const isUnknown = this.#isOutcomeUnknown || this.#hasChanged || isUntold;
    const context = {
      ...this.#context(this.operation),
      outcome: isUnknown ? ("unknown" as const) : ("none" as const),
    };
    if (this.#ending === "closed") {
      return new StoreError("CLOSED", `${this.#what(this.operation)}: it was closed`, {
        ...context,
        ...(last === undefined ? {} : { cause: last }),
      });
    }
    if (this.#ending === "aborted") {
      return new StoreError("ABORTED", `${this.#what(this.operation)}: the caller's signal fired`, {
        ...context,
        cause: this.#callerSignal?.reason,
      });
    }
    return new StoreError("TIMEOUT", `${this.#what(this.operation)}: not done within ${this.#timeoutMs} ms`, {
      ...context,
      ...(last === undefined ? {} : { cause: last }),
    });
  }

  /** As a {@link StoreError} that says where. What is none was not foreseen by the driver: nothing is known then. */
  #typed(thrown: unknown, operation: string): StoreError {
    if (thrown instanceof StoppedError) {
      const outcome = thrown.isUnsent ? "none" : "unknown";
      return new StoreError("ABORTED", "stopped", { ...this.#context(operation), outcome });
    }
    if (!isStoreError(thrown)) {
      return new StoreError("IO", `${this.#what(operation)}: ${describeCause(thrown).message}`, {
        ...this.#context(operation),
        outcome: "unknown",
        cause: describeCause(thrown),
      });
    }
    return located(thrown, this.#what(operation), this.#context(operation));
  }

  #context(operation: string): { operation: string; store: string; key?: string } {
    return { operation, store: this.#parts.url, ...(this.key === undefined ? {} : { key: this.key }) };
  }

  #what(operation: string): string {
    return this.key === undefined
      ? `${operation} on ${this.#parts.url}`
      : `${operation} ${JSON.stringify(this.key)} on ${this.#parts.url}`;
  }
}

/** Why signals fire at the end of every call. Made once: a new one takes its stack, which costs ten microseconds. */
export const over: DOMException = new DOMException("The call is over", "AbortError");

/** Marks a request that was stopped by its signal. */
class StoppedError extends Error {
  /** Whether it was still waiting for its turn to be sent. */
  readonly isUnsent: boolean;

  constructor(isUnsent: boolean) {
    super("stopped");
    this.isUnsent = isUnsent;
  }
}

/** Whether the store said that a condition does not hold, or that what was to be changed is not there. */
function isConditionRefusal({ code }: StoreError): boolean {
  return code === "ALREADY_EXISTS" || code === "VERSION_MISMATCH" || code === "NOT_FOUND";
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function assertSignal(signal: unknown, operation: string): void {
  if (signal === undefined) return;
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>;
  if (typeof aborted === "boolean" && typeof addEventListener === "function") return;
  throw new StoreError("INVALID_ARGUMENT", `${operation}: signal: want an AbortSignal`, { operation });
}

function assertTimeout(timeoutMs: number, operation: string): void {
  if (timeoutMs === Number.POSITIVE_INFINITY) return;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > timeoutMsMax) {
    throw new StoreError(
      "INVALID_ARGUMENT",
      `${operation}: timeoutMs: got ${timeoutMs}, want a whole number in 1..2147483647`,
      { operation },
    );
  }
}

/** `error` with a message that begins with where it happened. */
export function located(error: StoreError, what: string, place: StorePlace): StoreError {
  return error.store === undefined ? retold(error, { message: `${what}: ${error.message}`, ...place }) : error;
}
