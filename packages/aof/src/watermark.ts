import { AofError } from "./errors.ts";

interface Waiter {
  readonly id: number;
  readonly resolve: (id: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An id that only rises, and those who wait for it to reach theirs. Waiters are kept sorted by id: appends wait in id
 * order, so adding one is a push and waking is a walk from the front.
 */
export class Watermark {
  #value: number;
  #waiters: Waiter[] = [];
  /** Waiters before this index were woken. */
  #woken = 0;
  #failure: Error | undefined;

  constructor(value: number) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  get hasWaiters(): boolean {
    return this.#waiters.length > this.#woken;
  }

  /** Wakes everyone up to `value`. */
  raise(value: number): void {
    if (value <= this.#value) return;
    this.#value = value;
    const waiters = this.#waiters;
    let next = this.#woken;
    while (next < waiters.length && (waiters[next] as Waiter).id <= value) {
      const waiter = waiters[next++] as Waiter;
      waiter.resolve(waiter.id);
    }
    // Dropped in one go once half are done, so that waking n waiters costs n steps in all.
    if (next === waiters.length) {
      this.#waiters = [];
      this.#woken = 0;
    } else if (next > 1024 && next * 2 > waiters.length) {
      this.#waiters = waiters.slice(next);
      this.#woken = 0;
    } else {
      this.#woken = next;
    }
  }

  /** Rejects everyone, now and later. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const waiters = this.#waiters.slice(this.#woken);
    this.#waiters = [];
    this.#woken = 0;
    for (const waiter of waiters) waiter.reject(error);
  }

  /** Resolves with `id` when the value reaches it. @throws AofError `ABORTED`, or what `fail` was given */
  reached(id: number, signal?: AbortSignal): Promise<number> {
    if (id <= this.#value) return Promise.resolve(id);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      if (signal === undefined) this.#add({ id, resolve, reject });
      else this.#addAbortable(id, signal, resolve, reject);
    });
  }

  #addAbortable(
    id: number,
    signal: AbortSignal,
    resolve: (id: number) => void,
    reject: (error: unknown) => void,
  ): void {
    if (signal.aborted) {
      reject(abortedError(signal));
      return;
    }
    const settle = (): void => signal.removeEventListener("abort", onAbort);
    const waiter: Waiter = {
      id,
      resolve(value) {
        settle();
        resolve(value);
      },
      reject(error) {
        settle();
        reject(error);
      },
    };
    const onAbort = (): void => {
      const index = this.#waiters.indexOf(waiter, this.#woken);
      if (index !== -1) this.#waiters.splice(index, 1);
      settle();
      reject(abortedError(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#add(waiter);
  }

  #add(waiter: Waiter): void {
    const waiters = this.#waiters;
    let at = waiters.length;
    while (at > this.#woken && (waiters[at - 1] as Waiter).id > waiter.id) at--;
    if (at === waiters.length) waiters.push(waiter);
    else waiters.splice(at, 0, waiter);
  }
}

/** The caller's signal fired; its reason is the cause. */
export function abortedError(signal: AbortSignal): AofError {
  return new AofError("ABORTED", "the wait was aborted by its signal", { cause: signal.reason });
}
