/** A driver whose requests fail as a network makes them fail: before or after the store has done its work. */
import { untilAborted } from "../kit/until-aborted.ts";
import type { DriverBody, DriverCall, ObjectStoreDriver } from "../object-store/object-driver.ts";
import { StoreError, type StoreErrorCode } from "../object-store/store-error.ts";
import type { DriverRequest } from "../object-store/wrappers/driver-request.ts";
import { ForwardingDriver } from "../object-store/wrappers/forwarding-driver.ts";

/** What happens to a request. */
export type DriverFault =
  /** The store answers with this code and has done nothing. */
  | { readonly kind: "refuse"; readonly code: StoreErrorCode }
  /** The connection breaks before the store has the request. The driver cannot know. */
  | { readonly kind: "lose-request" }
  /** The store does its work, and the answer is lost. */
  | { readonly kind: "lose-answer" }
  /** The request is carried out twice. */
  | { readonly kind: "repeat" }
  /** No answer until the signal fires; with `after`, the store has done its work. */
  | { readonly kind: "hang"; readonly after: boolean }
  /** The body of the answer ends after so many bytes: with an error, without one, or never. */
  | { readonly kind: "cut-body"; readonly bytes: number; readonly how: "error" | "end" | "stall" }
  /** One byte of the answer's body is another. */
  | { readonly kind: "garble-body" };

/** Decides about one request. `index` counts all requests from 0. */
export type FaultChoice = (operation: string, index: number) => DriverFault | undefined;

/** Wraps `driver`. */
export class FaultyDriver extends ForwardingDriver {
  readonly #choose: FaultChoice;
  /** Names of the requests so far. */
  readonly requests: string[] = [];

  constructor(driver: ObjectStoreDriver, choose: FaultChoice) {
    super({ driver, close: () => driver.close() });
    this.#choose = choose;
  }

  protected override async aroundGet(
    request: DriverRequest,
    send: (call: DriverCall) => Promise<DriverBody>,
  ): Promise<DriverBody> {
    const fault = this.#choose("get", this.requests.length);
    const answer = await this.around(request, send);
    if (fault?.kind === "cut-body") return { ...answer, chunks: cut(answer.chunks, fault, request.call.signal) };
    if (fault?.kind === "garble-body") return { ...answer, chunks: garbled(answer.chunks) };
    return answer;
  }

  /** A request that the network repeats is sent twice. */
  protected override async around<T>(
    { operation, call }: DriverRequest,
    send: (call: DriverCall) => Promise<T>,
  ): Promise<T> {
    const index = this.requests.push(operation) - 1;
    const fault = this.#choose(operation, index);
    switch (fault?.kind) {
      case "refuse":
        throw new StoreError(fault.code, "refused on purpose", {
          outcome: ["UNAVAILABLE", "TIMEOUT", "IO"].includes(fault.code) ? "unknown" : "none",
        });
      case "lose-request":
        throw lost();
      case "lose-answer":
        await send(call);
        throw lost();
      case "repeat":
        await send(call);
        return send(call);
      case "hang":
        if (fault.after) await send(call);
        return untilAborted(new Promise<never>(() => {}), call.signal);
      default:
        return send(call);
    }
  }
}

function lost(): StoreError {
  return new StoreError("UNAVAILABLE", "the connection broke on purpose", { outcome: "unknown" });
}

async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  { bytes, how }: Extract<DriverFault, { readonly kind: "cut-body" }>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (chunk.byteLength <= left) {
      left -= chunk.byteLength;
      yield chunk;
      continue;
    }
    if (left > 0) yield chunk.subarray(0, left);
    if (how === "error") throw lost();
    if (how === "end") return;
    await untilAborted(new Promise<never>(() => {}), signal);
  }
}

async function* garbled(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const copy = chunk.slice();
    if (isFirst && copy.byteLength > 0) copy[copy.byteLength >> 1] = (copy[copy.byteLength >> 1] as number) ^ 1;
    isFirst = false;
    yield copy;
  }
}
