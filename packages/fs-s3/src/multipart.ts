/** An upload in parts. With checksums kept by the store, the whole's is sent with the last request and must come back. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import {
  crc64Combine,
  type DriverCall,
  type DriverComplete,
  type DriverInfo,
  type DriverPart,
  type DriverPut,
  type DriverPutResult,
  isStoreError,
  StoreError,
  type UploadedPart,
} from "@varve/fs-core";
import { checksumText, parseChecksum } from "./checksum-text.ts";
import { headObject } from "./read-object.ts";
import { incomplete, type S3Requests, type Subject } from "./s3-requests.ts";
import { assertDone, conditionsOf, stored, storedBeside, writeSubject } from "./write-object.ts";

const wholeChecksum = { ChecksumAlgorithm: "CRC64NVME", ChecksumType: "FULL_OBJECT" } as const;

export async function beginUpload(
  requests: S3Requests,
  key: string,
  put: DriverPut,
  call: DriverCall,
): Promise<string> {
  const { address, keepsChecksums } = requests;
  const command = new CreateMultipartUploadCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    ...storedBeside(requests, put),
    ...(keepsChecksums ? wholeChecksum : {}),
  });
  const subject: Subject = { operation: "beginUpload", key, isWrite: true };
  const { UploadId: uploadId } = await requests.send(subject, call, (client, options) => client.send(command, options));
  if (uploadId === undefined || uploadId === "") throw incomplete("upload id", subject);
  return uploadId;
}

export async function uploadPart(
  requests: S3Requests,
  key: string,
  uploadId: string,
  { number, bytes, checksum }: DriverPart,
  call: DriverCall,
): Promise<UploadedPart> {
  const { address, keepsChecksums } = requests;
  const command = new UploadPartCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    UploadId: uploadId,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.byteLength,
    ...(keepsChecksums ? { ChecksumCRC64NVME: checksumText(checksum) } : {}),
  });
  const subject: Subject = { operation: "uploadPart", key, isWrite: true };
  const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
  stored(answer, checksum, subject);
  return { number, size: bytes.byteLength, tag: answer.ETag as string, checksum };
}

export async function uploadPartCopy(
  requests: S3Requests,
  key: string,
  uploadId: string,
  part: { readonly number: number; readonly from: DriverInfo; readonly offset: number; readonly size: number },
  call: DriverCall,
): Promise<UploadedPart> {
  const { address } = requests;
  const { number, from, offset, size } = part;
  const command = new UploadPartCopyCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    UploadId: uploadId,
    PartNumber: number,
    CopySource: address.copySource(from.key),
    CopySourceIfMatch: address.condition(from.version),
    CopySourceRange: `bytes=${offset}-${offset + size - 1}`,
  });
  const subject: Subject = { operation: "uploadPartCopy", key, isWrite: true };
  const { CopyPartResult: result = {} } = await requests.send(subject, call, (client, options) =>
    client.send(command, options),
  );
  stored(result, undefined, subject);
  return { number, size, tag: result.ETag as string, checksum: parseChecksum(result.ChecksumCRC64NVME) };
}

export async function completeUpload(
  requests: S3Requests,
  key: string,
  uploadId: string,
  parts: readonly UploadedPart[],
  complete: DriverComplete,
  call: DriverCall,
): Promise<DriverPutResult> {
  const { address, keepsChecksums } = requests;
  const subject = writeSubject("completeUpload", key, complete);
  const checksum = wholeOf(parts, complete, subject);
  const command = new CompleteMultipartUploadCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    UploadId: uploadId,
    MultipartUpload: {
      Parts: parts.map((part) => ({
        PartNumber: part.number,
        ETag: part.tag,
        ...(keepsChecksums && part.checksum !== undefined ? { ChecksumCRC64NVME: checksumText(part.checksum) } : {}),
      })),
    },
    ...conditionsOf(requests, complete),
    ...(keepsChecksums ? { ChecksumType: "FULL_OBJECT", MpuObjectSize: complete.size } : {}),
    ...(keepsChecksums && checksum !== undefined ? { ChecksumCRC64NVME: checksumText(checksum) } : {}),
  });
  const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
  // Some servers, radosgw 16 among them, complete an upload and leave its ETag empty.
  if (answer.ETag === "") return await storedAs(requests, key, complete, subject, call);
  return stored(answer, checksum, subject);
}

/** What was completed, by a look at the key. @throws StoreError `UNAVAILABLE` when other metadata, thus another's put, is there */
async function storedAs(
  requests: S3Requests,
  key: string,
  { metadata, checksum }: DriverComplete,
  subject: Subject,
  call: DriverCall,
): Promise<DriverPutResult> {
  const found = await headObject(requests, key, call).catch((error: unknown) => {
    call.signal.throwIfAborted();
    throw new StoreError("UNAVAILABLE", "the store's answer has no ETag, and the object could not be read", {
      operation: subject.operation,
      key,
      outcome: "unknown",
      cause: error,
    });
  });
  // Metadata is stored when an upload begins: the whole's checksum is often not known then.
  const late = checksum?.toString(16).padStart(16, "0");
  const isOurs = Object.entries(metadata).every(([name, value]) => (found?.metadata[name] ?? late) === value);
  if (found === undefined || !isOurs) throw incomplete("ETag", subject);
  return { version: found.version };
}

/** Idempotent: what is not there is dropped already. */
export async function abortUpload(
  requests: S3Requests,
  key: string,
  uploadId: string,
  call: DriverCall,
): Promise<void> {
  const { address } = requests;
  const command = new AbortMultipartUploadCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    UploadId: uploadId,
  });
  const subject: Subject = { operation: "abortUpload", key, isWrite: true };
  try {
    assertDone(await requests.send(subject, call, (client, options) => client.send(command, options)), subject);
  } catch (error) {
    if (!isStoreError(error) || error.vendorCode !== "NoSuchUpload") throw error;
  }
}

/** Of all bytes, from the parts' where they are known. @throws StoreError `CORRUPT` when it is not the one expected */
function wholeOf(parts: readonly UploadedPart[], complete: DriverComplete, subject: Subject): bigint | undefined {
  let combined = 0n;
  for (const { checksum, size } of parts) {
    if (checksum === undefined) return complete.checksum;
    combined = crc64Combine(combined, checksum, size);
  }
  if (complete.checksum !== undefined && complete.checksum !== combined) {
    throw new StoreError("CORRUPT", "the parts do not have the checksum of the whole; nothing was stored", {
      operation: subject.operation,
      ...(subject.key === undefined ? {} : { key: subject.key }),
    });
  }
  return combined;
}
