/** What may be made to go wrong with one request. Data, so that a plan of faults can be written down and replayed. */
import type { GcsOperation } from "./operation.ts";

/** Before: the request has no effect. After: it has, and the client does not hear of it. */
export type FaultMoment = "before-commit" | "after-commit";

/** One fault. */
export type FaultAction =
  /** Waits before the request is handled. */
  | { readonly kind: "latency"; readonly latencyMs: number }
  /** Answers with a status of its own, 400..599, and the usual reason for it. */
  | {
      readonly kind: "status";
      readonly when: FaultMoment;
      readonly status: number;
      /** Sent as Retry-After, in whole seconds. */
      readonly retryAfterSeconds?: number;
    }
  /** Resets the connection instead of an answer. */
  | { readonly kind: "reset"; readonly when: FaultMoment }
  /** Never answers; ends when the client goes or the server closes. */
  | { readonly kind: "hang"; readonly when: FaultMoment }
  /** Ends the connection after that many bytes of the answer's body; its Content-Length promises all. */
  | { readonly kind: "cut"; readonly afterBytes: number; readonly end: "fin" | "reset" }
  /** Stops after that many bytes of the answer's body: for `stallMs`, or for good. */
  | { readonly kind: "stall"; readonly afterBytes: number; readonly stallMs?: number }
  /** Flips the lowest bit of one byte of a body, the last one if it is shorter; an empty body stays. */
  | { readonly kind: "corrupt"; readonly direction: "request" | "response"; readonly atByte: number }
  /** The network delivers the request twice, one after the other; the client gets the second answer. */
  | { readonly kind: "duplicate" };

/** What decides on a fault sees of a request. */
export interface FaultRequest {
  readonly operation: GcsOperation;
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly bucket: string | undefined;
  readonly object: string | undefined;
}

/** Asked once for each request, before it is handled. */
export type FaultHook = (request: FaultRequest) => FaultAction | undefined | Promise<FaultAction | undefined>;
