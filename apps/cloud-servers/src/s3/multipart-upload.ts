/** The parts of an upload, and what they make together. Pure. */
import { createHash } from "node:crypto";
import { crc64Combine } from "@varve/fs-core";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumOf,
  type ChecksumType,
  crc64Base64,
} from "./body/checksum-algorithm.ts";
import { S3Error } from "./s3-error.ts";
import type { ObjectMetadata, StoredObject } from "./stored-object.ts";

/** A part. */
export interface UploadedPart {
  readonly number: number;
  readonly bytes: number;
  readonly data: Uint8Array | undefined;
  readonly md5: Uint8Array;
  readonly crc64: bigint;
  /** Of the part, by the upload's algorithm. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
  readonly lastModifiedMs: number;
}

/** An upload that is neither completed nor aborted. */
export interface MultipartUpload {
  readonly id: string;
  readonly key: string;
  readonly metadata: ObjectMetadata;
  /** As the client declared it; undefined stands for CRC64NVME, which clients then need not send. */
  readonly declaredAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType;
  readonly initiatedMs: number;
  readonly parts: Map<number, UploadedPart>;
}

/** A part as a completion lists it. */
export interface ListedPart {
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

/** Most that S3 takes. */
export const partNumberMax = 10_000;

/** The algorithm of an upload's checksums. */
export function algorithmOf(upload: MultipartUpload): ChecksumAlgorithm {
  return upload.declaredAlgorithm ?? "CRC64NVME";
}

/** Quoted. */
export function partEtag({ md5 }: Pick<UploadedPart, "md5">): string {
  return `"${Buffer.from(md5).toString("hex")}"`;
}

/**
 * The parts that a completion lists, if it lists them as it should.
 * @throws S3Error
 */
export function chooseParts(
  upload: MultipartUpload,
  listed: readonly ListedPart[],
  partBytesMin: number,
): UploadedPart[] {
  const isDisordered = listed.some(({ number }, index) => index > 0 && number <= (listed[index - 1]?.number ?? 0));
  if (isDisordered) throw new S3Error("InvalidPartOrder", { details: { UploadId: upload.id } });
  const chosen = listed.map((part) => choosePart(upload, part));
  if (upload.checksumType === "COMPOSITE" && chosen.some(({ number }, index) => number !== index + 1)) {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html asks for consecutive numbers from 1 here.
    throw new S3Error("InternalError", {
      message: "Part numbers must be consecutive, from 1, for composite checksums",
    });
  }
  const small = chosen.slice(0, -1).find(({ bytes }) => bytes < partBytesMin);
  if (small !== undefined) {
    const details = { ETag: partEtag(small), MinSizeAllowed: String(partBytesMin), PartNumber: String(small.number) };
    throw new S3Error("EntityTooSmall", { details: { ...details, ProposedSize: String(small.bytes) } });
  }
  return chosen;
}

function choosePart(upload: MultipartUpload, { number, etag, checksums }: ListedPart): UploadedPart {
  const part = upload.parts.get(number);
  const wrong = (): S3Error =>
    new S3Error("InvalidPart", { details: { UploadId: upload.id, PartNumber: String(number), ETag: etag } });
  if (part === undefined || partEtag(part) !== `"${etag}"`) throw wrong();
  const { algorithm, value } = part.checksum;
  if (upload.checksumType === "COMPOSITE" && !checksums.has(algorithm)) {
    const name = algorithm.toLowerCase();
    throw new S3Error("InvalidRequest", {
      message: `The upload was created using a ${name} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    });
  }
  for (const [listedAlgorithm, listedValue] of checksums) {
    if (listedAlgorithm !== algorithm || listedValue !== value) throw wrong();
  }
  return part;
}

/** The object that parts make, before it has a key and metadata. */
export function assemble(
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
): Pick<StoredObject, "bytes" | "data" | "etag" | "crc64"> & { readonly checksum: Checksum } {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(part.md5);
  const datas = parts.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const data = datas.length === parts.length ? Buffer.concat(datas) : undefined;
  const crc64 = parts.reduce((sum, part) => crc64Combine(sum, part.crc64, part.bytes), 0n);
  return {
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    data,
    etag: `"${md5.digest("hex")}-${parts.length}"`,
    crc64,
    checksum: checksumOfParts(upload, parts, crc64),
  };
}

function checksumOfParts(upload: MultipartUpload, parts: readonly UploadedPart[], crc64: bigint): Checksum {
  const algorithm = algorithmOf(upload);
  const type = upload.checksumType;
  if (type === "COMPOSITE") {
    const digests = parts.map(({ checksum }) => Buffer.from(checksum.value, "base64"));
    return { algorithm, type, value: `${checksumOf(algorithm, digests)}-${parts.length}` };
  }
  if (algorithm === "CRC64NVME") return { algorithm, type, value: crc64Base64(crc64) };
  return {
    algorithm,
    type,
    value: checksumOf(
      algorithm,
      parts.map(({ data }) => data ?? missingData()),
    ),
  };
}

function missingData(): never {
  // Creation refuses such an upload on a server that discards bodies.
  throw new Error("a whole-object checksum needs the bytes of every part");
}
