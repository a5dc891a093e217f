/**
 * What made a flush begin, as a closed list:
 * `forced` somebody asked for it; `periodic` the time bound was reached; `batched` the record or byte bound was
 * reached; `sync` the strategy flushes every append; `rotation` a segment is being sealed; `shutdown` the log is
 * closing; `backpressure` buffers are filling up.
 */
export const flushTriggers = ["forced", "periodic", "batched", "sync", "rotation", "shutdown", "backpressure"] as const;

/** One of {@link flushTriggers}. */
export type FlushTrigger = (typeof flushTriggers)[number];
