/** Requests, and bytes of bodies, at given rates. */
import type { Clock } from "../../clock.ts";
import type { DriverBody, DriverCall } from "../object-driver.ts";
import { type DriverOperation, type DriverRequest, waitFor } from "./driver-request.ts";
import { ForwardingDriver, type WrappedStore } from "./forwarding-driver.ts";
import { pacedChunks } from "./paced-chunks.ts";
import { type Charge, takeAll, type TokenBucket } from "./token-bucket.ts";

/** One for each limit that was set. */
export interface RateBuckets {
  readonly requests: TokenBucket | undefined;
  readonly writes: TokenBucket | undefined;
  readonly lists: TokenBucket | undefined;
  readonly uploadBytes: TokenBucket | undefined;
  readonly downloadBytes: TokenBucket | undefined;
}

const readOperations: ReadonlySet<DriverOperation> = new Set(["head", "get"]);
const listOperations: ReadonlySet<DriverOperation> = new Set(["list", "listUploads"]);

export class RateLimitDriver extends ForwardingDriver {
  readonly #clock: Clock;
  readonly #buckets: RateBuckets;

  constructor(store: WrappedStore, clock: Clock, buckets: RateBuckets) {
    super(store);
    this.#clock = clock;
    this.#buckets = buckets;
  }

  protected override async around<T>(request: DriverRequest, send: (call: DriverCall) => Promise<T>): Promise<T> {
    const { call } = request;
    await waitFor(call, () => takeAll(this.#clock, this.#charges(request), call.signal));
    return send(call);
  }

  protected override async aroundGet(
    request: DriverRequest,
    send: (call: DriverCall) => Promise<DriverBody>,
  ): Promise<DriverBody> {
    const answer = await this.around(request, send);
    const bucket = this.#buckets.downloadBytes;
    if (bucket === undefined) return answer;
    return { ...answer, chunks: pacedChunks(answer.chunks, this.#clock, bucket, request.call) };
  }

  #charges({ operation, sentBytes }: DriverRequest): Charge[] {
    const { requests, writes, lists, uploadBytes } = this.#buckets;
    const isList = listOperations.has(operation);
    const isWrite = !isList && !readOperations.has(operation);
    const charges: Charge[] = [];
    if (requests !== undefined) charges.push({ bucket: requests, amount: 1 });
    if (writes !== undefined && isWrite) charges.push({ bucket: writes, amount: 1 });
    if (lists !== undefined && isList) charges.push({ bucket: lists, amount: 1 });
    if (uploadBytes !== undefined && sentBytes > 0) charges.push({ bucket: uploadBytes, amount: sentBytes });
    return charges;
  }
}
