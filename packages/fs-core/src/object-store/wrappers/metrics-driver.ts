/** Requests, counted and told of. */
import { channel } from "node:diagnostics_channel";
import type { Clock } from "../../clock.ts";
import type { DriverBody, DriverCall } from "../object-driver.ts";
import { isStoreError, type StoreErrorCode } from "../store-error.ts";
import { callListener } from "../call-listener.ts";
import type { DriverOperation, DriverRequest } from "./driver-request.ts";
import { ForwardingDriver, type WrappedStore } from "./forwarding-driver.ts";
import { operationClasses, type PriceClass, type RequestKind } from "./price-classes.ts";
import type { MetricsCounters, OperationCounters } from "./store-metrics.ts";
import { watchBody } from "./watched-body.ts";

/** Names of the diagnostics channels of object stores. */
export const storeChannels = {
  /** Messages are {@link StoreRequestEvent}. */
  request: "varve.store.request",
} as const;

/** A request that is over. Holds no secret. */
export interface StoreRequestEvent {
  /** The store's URL. */
  readonly store: string;
  readonly operation: DriverOperation;
  readonly kind: RequestKind;
  readonly priceClass: PriceClass;
  readonly key: string | undefined;
  /** 1 for the first. */
  readonly attempt: number;
  /** Until the answer or its head, or the failure before it; microseconds. */
  readonly durationUs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The failure's; undefined for success. A body that was left early did not fail. */
  readonly code: StoreErrorCode | undefined;
}

const requests = channel(storeChannels.request);

export class MetricsDriver extends ForwardingDriver {
  readonly #clock: Clock;
  readonly #counters: MetricsCounters;
  readonly #onRequest: ((event: StoreRequestEvent) => unknown) | undefined;

  constructor(
    store: WrappedStore,
    clock: Clock,
    counters: MetricsCounters,
    onRequest: ((event: StoreRequestEvent) => unknown) | undefined,
  ) {
    super(store);
    this.#clock = clock;
    this.#counters = counters;
    this.#onRequest = onRequest;
  }

  protected override async around<T>(request: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    const measured = this.#begin(request);
    try {
      const result = await send(request.call);
      measured.answered();
      measured.end(undefined, 0);
      return result;
    } catch (error) {
      measured.end(error, 0);
      throw error;
    }
  }

  protected override async aroundGet(
    request: DriverRequest,
    send: (call: DriverCall) => Promise<DriverBody>,
  ): Promise<DriverBody> {
    const measured = this.#begin(request);
    let body: DriverBody;
    try {
      body = await send(request.call);
    } catch (error) {
      measured.end(error, 0);
      throw error;
    }
    measured.answered();
    let receivedBytes = 0;
    return watchBody(body, request.call.signal, {
      onChunk: (bytes) => {
        receivedBytes += bytes;
      },
      onEnd: (failure) => measured.end(failure, receivedBytes),
    });
  }

  #begin(request: DriverRequest): Measured {
    const { attempt = 1 } = request.call;
    const counters = this.#counters.of(request.operation);
    const beganUs = this.#clock.monotonicUs();
    counters.requests++;
    counters.inFlight++;
    counters.sentBytes += request.sentBytes;
    if (attempt > 1) counters.retries++;
    let durationUs: number | undefined;
    return {
      answered: () => {
        durationUs = this.#clock.monotonicUs() - beganUs;
        counters.latency.record(durationUs);
      },
      end: (failure, receivedBytes) => {
        const code = failure === undefined ? undefined : codeOf(failure, request.call.signal);
        endOf(counters, code, receivedBytes);
        this.#tell(request, code, receivedBytes, durationUs ?? this.#clock.monotonicUs() - beganUs);
      },
    };
  }

  #tell(request: DriverRequest, code: StoreErrorCode | undefined, receivedBytes: number, durationUs: number): void {
    if (this.#onRequest === undefined && !requests.hasSubscribers) return;
    const { operation, key, sentBytes, call } = request;
    const event: StoreRequestEvent = Object.freeze({
      store: this.url,
      operation,
      ...operationClasses[operation],
      key,
      attempt: call.attempt ?? 1,
      durationUs,
      sentBytes,
      receivedBytes,
      code,
    });
    if (requests.hasSubscribers) requests.publish(event);
    if (this.#onRequest !== undefined) callListener("onRequest of withMetrics", this.#onRequest, event);
  }
}

interface Measured {
  /** The answer, or its head, is there. */
  answered(): void;
  end(failure: unknown, receivedBytes: number): void;
}

function endOf(counters: OperationCounters, code: StoreErrorCode | undefined, receivedBytes: number): void {
  counters.inFlight--;
  counters.receivedBytes += receivedBytes;
  if (code !== undefined) counters.fail(code);
}

function codeOf(failure: unknown, signal: AbortSignal): StoreErrorCode {
  if (signal.aborted) return "ABORTED";
  return isStoreError(failure) ? failure.code : "IO";
}
