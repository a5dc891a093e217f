/** What became of a condition on the endpoint at hand. */
export type ProbeVerdict =
  /** It holds, in races too. */
  | "enforced"
  /** The store takes the condition and does not keep it: two writers both win. */
  | "ignored"
  /** The store refuses the request, or even a condition that holds. */
  | "refused"
  /** The driver offers no such thing; nothing was sent. */
  | "unsupported";

/** Answer of `probe()`. Plain data, to be kept and shown. */
export interface ProbeReport {
  readonly store: string;
  readonly putIfAbsent: ProbeVerdict;
  readonly completeIfAbsent: ProbeVerdict;
  readonly copyIfAbsent: ProbeVerdict;
  readonly putIfMatch: ProbeVerdict;
  readonly completeIfMatch: ProbeVerdict;
  readonly deleteIfMatch: ProbeVerdict;
  /** Whether the put id and the checksum come back with an object. */
  readonly metadata: "kept" | "lost";
  /** Whether the store refused bytes that do not fit their checksum. */
  readonly checksum: ProbeVerdict;
  /** What was refused and by which words of the store, in sentences. */
  readonly notes: readonly string[];
  /**
   * `fenced`: `ifAbsent` is enforced for puts, and metadata comes back, so writers notice each other.
   * `single-writer`: nobody may write but one process, and nothing checks that.
   */
  readonly mode: "fenced" | "single-writer";
}
