/** The source of CopyObject and UploadPartCopy. */
import { readSource } from "./address.ts";
import { type ChecksumAlgorithm, checksumOf, crc64Base64 } from "./body/checksum-algorithm.ts";
import { checkSource } from "./conditions.ts";
import { checkKey } from "./key-rules.ts";
import type { Call } from "./operation.ts";
import { S3Error } from "./s3-error.ts";
import type { StoredObject } from "./stored-object.ts";

const prefix = "x-amz-copy-source";

/** Headers that both operations understand. */
export const copySourceHeaders: readonly string[] = [prefix, `${prefix}-if-match`, `${prefix}-if-none-match`];

/** A source that exists and is as the request wants it. */
export interface CopySource {
  readonly bucket: string;
  readonly object: StoredObject;
}

/** @throws S3Error */
export function findSource(call: Call): CopySource {
  const { bucket: name, key } = readSource(call.header(prefix) ?? "");
  checkKey(key);
  const bucket = call.buckets.get(name);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { details: { BucketName: name } });
  const object = bucket.object(key);
  const conditions = {
    ifMatch: call.header(`${prefix}-if-match`),
    ifNoneMatch: call.header(`${prefix}-if-none-match`),
  };
  checkSource(object, conditions, prefix);
  return { bucket: name, object };
}

/** @throws S3Error InvalidRequest */
export function checkCopySize(call: Call, bytes: number): void {
  const { copyBytesMax } = call.options.limits;
  if (bytes <= copyBytesMax) return;
  const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${copyBytesMax}`;
  throw new S3Error("InvalidRequest", { message });
}

/** A checksum of copied bytes; of discarded ones only CRC64NVME is known. @throws S3Error NotImplemented */
export function copiedChecksum(algorithm: ChecksumAlgorithm, data: Uint8Array | undefined, crc64: bigint): string {
  if (algorithm === "CRC64NVME") return crc64Base64(crc64);
  if (data !== undefined) return checksumOf(algorithm, [data]);
  throw new S3Error("NotImplemented", { message: `Discarded bodies have no ${algorithm} checksum` });
}
