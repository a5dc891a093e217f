/**
 * Counts of requests, by operation.
 *
 * Always true: for each operation, `requests` is the number of those that ended and of those in flight; of those that
 * ended, each is in `latency` or failed before its answer came.
 */
import type { StoreErrorCode } from "../store-error.ts";
import { type DriverOperation, driverOperations } from "./driver-request.ts";
import { type LatencySnapshot, Log2Histogram } from "./latency-histogram.ts";
import { operationClasses, type PriceClass, type RequestKind } from "./price-classes.ts";

/** Of one operation. */
export interface OperationMetrics {
  readonly kind: RequestKind;
  readonly priceClass: PriceClass;
  /** Begun so far, attempts that are made again included. */
  readonly requests: number;
  /** Of these, those that were second attempts or later. */
  readonly retries: number;
  /** Requests under way; bodies that are being read are. */
  readonly inFlight: number;
  /** Those that failed, by the error's code. */
  readonly failures: Readonly<Partial<Record<StoreErrorCode, number>>>;
  /** Bytes of objects in requests. */
  readonly sentBytes: number;
  /** Bytes of objects that came. */
  readonly receivedBytes: number;
  /** Until the answer, or its head where a body follows. */
  readonly latency: LatencySnapshot;
}

/** At one moment. */
export interface StoreMetrics {
  readonly operations: Readonly<Record<DriverOperation, OperationMetrics>>;
  /** Requests of all operations of a class. */
  readonly byPriceClass: Readonly<Record<PriceClass, number>>;
  readonly byKind: Readonly<Record<RequestKind, number>>;
  readonly inFlight: number;
}

export class OperationCounters {
  readonly latency: Log2Histogram = new Log2Histogram();
  readonly failures: Map<StoreErrorCode, number> = new Map();
  requests = 0;
  retries = 0;
  inFlight = 0;
  sentBytes = 0;
  receivedBytes = 0;

  fail(code: StoreErrorCode): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }
}

export class MetricsCounters {
  readonly #operations = new Map<DriverOperation, OperationCounters>(
    driverOperations.map((operation) => [operation, new OperationCounters()]),
  );

  of(operation: DriverOperation): OperationCounters {
    return this.#operations.get(operation) as OperationCounters;
  }

  snapshot(): StoreMetrics {
    const byPriceClass: Record<PriceClass, number> = { a: 0, b: 0, free: 0 };
    const byKind: Record<RequestKind, number> = { put: 0, get: 0, list: 0, delete: 0, copy: 0 };
    const operations: Partial<Record<DriverOperation, OperationMetrics>> = {};
    let inFlight = 0;
    for (const [operation, counters] of this.#operations) {
      const { kind, priceClass } = operationClasses[operation];
      byPriceClass[priceClass] += counters.requests;
      byKind[kind] += counters.requests;
      inFlight += counters.inFlight;
      operations[operation] = {
        kind,
        priceClass,
        requests: counters.requests,
        retries: counters.retries,
        inFlight: counters.inFlight,
        failures: Object.fromEntries(counters.failures),
        sentBytes: counters.sentBytes,
        receivedBytes: counters.receivedBytes,
        latency: counters.latency.snapshot(),
      };
    }
    return { operations: operations as Record<DriverOperation, OperationMetrics>, byPriceClass, byKind, inFlight };
  }
}
