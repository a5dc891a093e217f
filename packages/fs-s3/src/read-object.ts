/** `head` and `get`. */
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import {
  type DriverBody,
  type DriverCall,
  type DriverGet,
  type DriverInfo,
  isStoreError,
  StoreError,
} from "@varve/fs-core";
import { bodyChunks, type ByteSource } from "./body-chunks.ts";
import { parseChecksum } from "./checksum-text.ts";
import { versionOf } from "./object-address.ts";
import { incomplete, type S3Requests, type Subject } from "./s3-requests.ts";
import { withHeader } from "./with-header.ts";

/** What both answers say of the object. */
interface ObjectHead {
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly ContentType?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
}

export async function headObject(requests: S3Requests, key: string, call: DriverCall): Promise<DriverInfo | undefined> {
  const { address, keepsChecksums } = requests;
  const subject: Subject = { operation: "head", key, isWrite: false };
  const command = new HeadObjectCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    ...(keepsChecksums ? { ChecksumMode: "ENABLED" } : {}),
  });
  try {
    const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
    if (answer.ContentLength === undefined) throw incomplete("size", subject);
    return infoOf(answer, answer.ContentLength, subject);
  } catch (error) {
    if (isStoreError(error) && error.code === "NOT_FOUND" && error.vendorCode !== "NoSuchBucket") return undefined;
    throw error;
  }
}

export async function getObject(
  requests: S3Requests,
  key: string,
  { range, ifMatch }: DriverGet,
  call: DriverCall,
): Promise<DriverBody> {
  const { address, keepsChecksums } = requests;
  const subject: Subject = { operation: "get", key, isWrite: false, ifMatch };
  const command = new GetObjectCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    ...(range === undefined ? {} : { Range: rangeText(range) }),
    ...(ifMatch === undefined ? {} : { IfMatch: address.condition(ifMatch) }),
  });
  // Asked for with the command's own member, the SDK would compute the checksum a second time. With a range, what comes
  // may be that of a part.
  if (keepsChecksums && range === undefined) withHeader(command, "x-amz-checksum-mode", "ENABLED");
  const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
  const body = answer.Body as ByteSource | undefined;
  try {
    const { ContentLength: length } = answer;
    if (body === undefined || length === undefined) throw incomplete("body of known length", subject);
    const where = placeOf(answer.ContentRange, length, range, subject);
    return {
      info: infoOf(answer, where.size, subject),
      range: { offset: where.offset, length },
      chunks: bodyChunks(body, call.signal),
    };
  } catch (error) {
    body?.destroy();
    throw error;
  }
}

function infoOf(head: ObjectHead, size: number, subject: Subject): DriverInfo {
  if (head.ETag === undefined) throw incomplete("ETag", subject);
  if (head.LastModified === undefined) throw incomplete("time", subject);
  return {
    key: subject.key ?? "",
    size,
    version: versionOf(head.ETag),
    lastModifiedMs: head.LastModified.getTime(),
    metadata: head.Metadata ?? {},
    contentType: head.ContentType,
    checksum: parseChecksum(head.ChecksumCRC64NVME),
  };
}

function rangeText(range: NonNullable<DriverGet["range"]>): string {
  if ("suffixLength" in range) return `bytes=-${range.suffixLength}`;
  const { offset, length } = range;
  return `bytes=${offset}-${length === undefined ? "" : offset + length - 1}`;
}

/** Where the bytes lie, of how many. @throws StoreError `IO` when the store did not heed the range */
function placeOf(
  contentRange: string | undefined,
  length: number,
  range: DriverGet["range"],
  { operation, key }: Subject,
): { readonly offset: number; readonly size: number } {
  if (range === undefined) return { offset: 0, size: length };
  const [, first = "", size = ""] = /^bytes (\d+)-\d+\/(\d+)$/.exec(contentRange ?? "") ?? [];
  if (first === "") {
    const where = { operation, ...(key === undefined ? {} : { key }) };
    throw new StoreError("IO", "the store answered without the range that was asked for", where);
  }
  return { offset: Number(first), size: Number(size) };
}
