/** Codes are API; messages may change in any release. */
export const flushMetricsErrorCodes = [
  "FLUSH_METRICS_CLOSED", // the histograms are gone: read `snapshot()`, which keeps answering
  "HISTOGRAM_ENGINE_UNAVAILABLE", // WebAssembly was required and is missing: choose engine "auto" or "js"
] as const;

/** One of {@link flushMetricsErrorCodes}. */
export type FlushMetricsErrorCode = (typeof flushMetricsErrorCodes)[number];

/** The one error class of this package. Test by `code`: two copies of the package may be loaded. */
export class FlushMetricsError extends Error {
  override readonly name: string = "FlushMetricsError";
  readonly code: FlushMetricsErrorCode;

  constructor(code: FlushMetricsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** True for a {@link FlushMetricsError} of any loaded copy of this package. */
export function isFlushMetricsError(value: unknown): value is FlushMetricsError {
  return (
    value instanceof Error &&
    value.name === "FlushMetricsError" &&
    "code" in value &&
    (flushMetricsErrorCodes as readonly unknown[]).includes(value.code)
  );
}
