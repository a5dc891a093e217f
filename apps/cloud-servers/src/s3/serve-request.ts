/** From a request on the wire to an operation and back: the one place that knows the order of the checks. */
import type { Exchange } from "../faults/exchange.ts";
import type { FaultAction } from "../faults/fault-rule.ts";
import type { Reply } from "../faults/reply.ts";
import { type Arrival, discardBody } from "../faults/request-body.ts";
import type { Address } from "./address.ts";
import { planBody } from "./body/body-plan.ts";
import { type ReceivedBody, receiveBody } from "./body/receive-body.ts";
import type { Bucket } from "./bucket.ts";
import { errorReply, faultReply, finishReply, type RequestIdentity } from "./error-reply.ts";
import { findOperation, type OperationRequest, refuseStrangers } from "./find-operation.ts";
import { checkKey } from "./key-rules.ts";
import type { Call, Operation } from "./operation.ts";
import type { ResolvedS3Options } from "./options.ts";
import { S3Error } from "./s3-error.ts";
import { type VerifiedRequest, verifyRequest } from "./sigv4/verify.ts";

/** Documents hold a thousand keys, or ten thousand parts with checksums. */
const documentBytesMax = 16 * 2 ** 20;

/** What requests are served with. */
export interface S3State {
  readonly options: ResolvedS3Options;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly url: string;
}

/** A request as it arrived. */
export interface ArrivedRequest extends Arrival {
  readonly method: string;
  /** Lower case names. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Or why there is none. */
  readonly address: Address | S3Error;
  /** Or why there is none. */
  readonly operation: Operation | S3Error;
  readonly identity: RequestIdentity;
}

/** How the request is served, with or without faults. */
export function s3Exchange(
  arrived: ArrivedRequest,
  state: S3State,
  action: FaultAction | undefined,
): Omit<Exchange, "noteStatus"> {
  const { request, response, expectsContinue, identity } = arrived;
  const finish = (reply: Reply): Reply => finishReply(reply, identity, arrived.method === "HEAD");
  return {
    request,
    response,
    expectsContinue,
    bodyBytesMax: state.options.limits.putBytesMax,
    errorReply: (error) => finish(faultReply(error, identity)),
    async serve(body) {
      try {
        const { operation, call } = await receive(arrived, body, state, action);
        return finish(operation.run(call));
      } catch (error) {
        if (!(error instanceof S3Error)) throw error;
        await discardBody(arrived);
        return finish(errorReply(error, identity));
      }
    },
  };
}

/** The operation of a request, or why it has none. */
export function operationOf(request: OperationRequest): Operation | S3Error {
  return answerOrError(() => findOperation(request));
}

/** A value, or the refusal that came instead. */
export function answerOrError<Value>(compute: () => Value): Value | S3Error {
  try {
    return compute();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

/** Who is asking comes first, then whether the question makes sense, then what it is about, then its body. */
async function receive(
  arrived: ArrivedRequest,
  arriving: AsyncIterable<Uint8Array>,
  { options, buckets, url }: S3State,
  action: FaultAction | undefined,
): Promise<{ readonly operation: Operation; readonly call: Call }> {
  const address = valueOf(arrived.address);
  const { headers, method } = arrived;
  const wallMs = Math.floor(options.clock.wallUs() / 1000);
  const signed = { method, pathBytes: address.pathBytes, query: address.queryBytes, headers };
  const verified = verifyRequest(signed, options.credentials, options.region, wallMs);
  const operation = valueOf(arrived.operation);
  refuseStrangers(operation, { ...operationRequest(method, address, headers, options), headers });
  const bucket = buckets.get(address.bucket ?? "");
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { details: { BucketName: address.bucket ?? "" } });
  const key = address.key ?? "";
  checkKey(key);
  const header = (name: string): string | undefined => joined(headers, name);
  const body = await receiveFor(operation, arriving, header, verified, options);
  const failingKeys =
    action?.kind === "failKeys" ? { contains: action.contains, code: action.code ?? "InternalError" } : undefined;
  const call = { options, buckets, bucket, key, query: address.query, headers, header, body, url, wallMs, failingKeys };
  return { operation, call };
}

/** What the choice of the operation depends on. */
export function operationRequest(
  method: string,
  { bucket, key, query }: Address,
  headers: OperationRequest["headers"],
  { quirks }: ResolvedS3Options,
): OperationRequest {
  const on = bucket === undefined ? "service" : key === undefined ? "bucket" : "object";
  return { method, on, query, headers, isExpress: quirks.express };
}

function receiveFor(
  operation: Operation,
  body: AsyncIterable<Uint8Array>,
  header: (name: string) => string | undefined,
  verified: VerifiedRequest,
  { quirks, limits, discardBodies }: ResolvedS3Options,
): Promise<ReceivedBody> {
  const isObject = operation.body === "object";
  const plan = planBody(header, verified, {
    needsLength: operation.body !== "none",
    checksumsCoverBody: operation.checksumsOfObject !== true,
    ignoresChecksums: quirks.noChecksums,
    refusesTrailers: quirks.refuseTrailers,
    bytesMax: isObject ? limits.putBytesMax : documentBytesMax,
  });
  return receiveBody(body, plan, !isObject || !discardBodies);
}

function joined(headers: readonly (readonly [string, string])[], wanted: string): string | undefined {
  const values = headers.filter(([name]) => name === wanted).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(", ");
}

function valueOf<Value>(value: Value | S3Error): Value {
  if (value instanceof S3Error) throw value;
  return value;
}
