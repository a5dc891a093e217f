/**
 * One access token, asked for once by however many requests wait for it.
 *
 * Always true:
 *  I1  at most one request for a token is under way
 *  I2  it is stopped when nobody waits for it any more, and at `close`
 *  I3  a token is given out only until `earlyUs` before it expires
 */
import { type Clock, StoreError, untilAborted } from "@varve/fs-core";
import type { AccessToken } from "./token-request.ts";

/** Clocks differ and requests take time. */
const earlyUs = 225e6;

export interface TakenToken {
  readonly token: string;
  /** It was given out before. */
  readonly isOld: boolean;
}

interface Asking {
  readonly answer: Promise<AccessToken>;
  readonly controller: AbortController;
  waiters: number;
}

export class TokenCache {
  readonly #clock: Clock;
  readonly #ask: (signal: AbortSignal) => Promise<AccessToken>;
  #kept: AccessToken | undefined;
  #asking: Asking | undefined;
  #isClosed = false;

  constructor(clock: Clock, ask: (signal: AbortSignal) => Promise<AccessToken>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  async take(signal: AbortSignal): Promise<TakenToken> {
    if (this.#isClosed) throw new StoreError("CLOSED", "the store is closed");
    signal.throwIfAborted();
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.monotonicUs() < kept.expiresUs - earlyUs) {
      return { token: kept.value, isOld: true };
    }
    const asking = (this.#asking ??= this.#begin());
    asking.waiters++;
    try {
      const { value } = await untilAborted(asking.answer, signal);
      return { token: value, isOld: false };
    } finally {
      asking.waiters--;
      if (asking.waiters === 0) this.#end(asking);
    }
  }

  /** Forgets `token`, unless another one is kept by now. */
  drop(token: string | undefined): void {
    if (this.#kept?.value === token) this.#kept = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#kept = undefined;
    this.#asking?.controller.abort(new StoreError("CLOSED", "the store is closed"));
  }

  #begin(): Asking {
    const controller = new AbortController();
    const asking: Asking = { answer: this.#ask(controller.signal), controller, waiters: 0 };
    asking.answer.then(
      (token) => {
        if (!this.#isClosed) this.#kept = token;
        this.#end(asking);
      },
      // Those who wait are told by the promise itself.
      () => this.#end(asking),
    );
    return asking;
  }

  /** The next one asks anew. */
  #end(asking: Asking): void {
    if (this.#asking === asking) this.#asking = undefined;
    asking.controller.abort(new StoreError("ABORTED", "nobody waits for the token"));
  }
}
