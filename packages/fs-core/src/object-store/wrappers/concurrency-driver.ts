/** Requests that take turns. A body keeps its turn until it ends or is stopped. */
import type { DriverBody, DriverCall } from "../object-driver.ts";
import { type DriverRequest, waitFor } from "./driver-request.ts";
import { ForwardingDriver, type WrappedStore } from "./forwarding-driver.ts";
import type { Turns } from "./turns.ts";
import { watchBody } from "./watched-body.ts";

export class ConcurrencyDriver extends ForwardingDriver {
  readonly #turns: Turns;

  constructor(store: WrappedStore, turns: Turns) {
    super(store);
    this.#turns = turns;
  }

  protected override async around<T>({ call }: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    let giveBack: (() => void) | undefined;
    try {
      await waitFor(call, async () => {
        giveBack = await this.#turns.take(call.signal);
      });
      return await send(call);
    } finally {
      giveBack?.();
    }
  }

  protected override async aroundGet(
    { call }: DriverRequest,
    send: (call: DriverCall) => Promise<DriverBody>,
  ): Promise<DriverBody> {
    let giveBack = (): void => {};
    try {
      await waitFor(call, async () => {
        giveBack = await this.#turns.take(call.signal);
      });
      return watchBody(await send(call), call.signal, { onEnd: giveBack });
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}
