import type { Reply } from "../faults/reply.ts";
import type { ReceivedBody } from "./body/receive-body.ts";
import type { Bucket } from "./bucket.ts";
import type { ResolvedS3Options } from "./options.ts";
import { S3Error } from "./s3-error.ts";

/** A request whose signature and body are in order. */
export interface Call {
  readonly options: ResolvedS3Options;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly bucket: Bucket;
  /** Empty for an operation on the bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** Lower case names, in the order of their arrival. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Repeated headers are joined with `, `. */
  readonly header: (name: string) => string | undefined;
  readonly body: ReceivedBody;
  /** Where the server is reached, without a slash at the end. */
  readonly url: string;
  readonly wallMs: number;
  /** A fault: keys with this in them fail, in bulk. */
  readonly failingKeys: { readonly contains: string; readonly code: string } | undefined;
}

/** An operation of the API: when a request is one, and what it does. */
export interface Operation {
  readonly name: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly on: "bucket" | "object";
  /** The parameters by which it is known; a value where that matters. */
  readonly marks?: Readonly<Record<string, string | undefined>>;
  /** A header by which it is known. */
  readonly headerMark?: string;
  /** Further parameters that it understands. */
  readonly parameters?: readonly string[];
  /** Preconditions, `range` and `x-amz-*` headers that it understands; a `*` at the end stands for anything. */
  readonly headers?: readonly string[];
  /** None, the bytes of an object, or a document of the protocol. */
  readonly body: "none" | "object" | "document";
  /** `x-amz-checksum-*` are of the object that the request is about, not of its body. Default false. */
  readonly checksumsOfObject?: boolean;
  /** Exists only where this quirk is. */
  readonly onlyExpress?: boolean;
  /** Does all of its change at once. @throws S3Error, having changed nothing */
  run(call: Call): Reply;
}

/** An answer with a document. */
export function xmlReply(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { "content-type": "application/xml", ...headers }, body };
}

/** A parameter that is a whole number in `[min, max]`; more is cut down to `max`. @throws S3Error InvalidArgument */
export function countParameter(call: Call, name: string, max: number, fallback: number): number {
  const value = call.query.get(name);
  if (value === undefined || value === "") return fallback;
  if (!/^[0-9]{1,10}$/.test(value) || Number(value) > 2 ** 31 - 1) {
    const message = `Provided ${name} not an integer or within integer range`;
    throw new S3Error("InvalidArgument", { message, details: { ArgumentName: name, ArgumentValue: value } });
  }
  return Math.min(Number(value), max);
}

/** The number of a part. @throws S3Error InvalidArgument */
export function partNumberParameter(call: Call, max: number): number {
  const value = call.query.get("partNumber") ?? "";
  if (!/^[0-9]{1,10}$/.test(value) || Number(value) < 1 || Number(value) > max) {
    const message = `Part number must be an integer between 1 and ${max}, inclusive`;
    throw new S3Error("InvalidArgument", { message, details: { ArgumentName: "partNumber", ArgumentValue: value } });
  }
  return Number(value);
}

/** `url` when a listing shall encode names. @throws S3Error InvalidArgument */
export function encodingParameter(call: Call): "url" | undefined {
  const value = call.query.get("encoding-type");
  if (value === undefined || value === "url") return value;
  throw new S3Error("InvalidArgument", { message: "Invalid Encoding Method specified in Request" });
}
