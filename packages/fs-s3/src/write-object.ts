/** `put`, `copy`, `rename` and `delete`: one request each, and a look at its source for a copy that was refused. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  RenameObjectCommand,
  type StorageClass,
} from "@aws-sdk/client-s3";
import {
  type DriverCall,
  type DriverCopy,
  type DriverInfo,
  type DriverPut,
  type DriverPutResult,
  isStoreError,
  StoreError,
  type WriteCondition,
} from "@varve/fs-core";
import { createHash } from "node:crypto";
import { checksumText, parseChecksum } from "./checksum-text.ts";
import { mapDeleteFailure, namesCondition } from "./map-s3-error.ts";
import { versionOf } from "./object-address.ts";
import { headObject } from "./read-object.ts";
import { incomplete, type S3Requests, type Subject } from "./s3-requests.ts";
import { withHeader } from "./with-header.ts";

export async function putObject(
  requests: S3Requests,
  key: string,
  bytes: Uint8Array,
  put: DriverPut,
  call: DriverCall,
): Promise<DriverPutResult> {
  const { address, keepsChecksums } = requests;
  const subject = writeSubject("put", key, put);
  const command = new PutObjectCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    Body: bytes,
    ContentLength: bytes.byteLength,
    ...storedBeside(requests, put),
    ...conditionsOf(requests, put),
    ...(keepsChecksums && put.checksum !== undefined ? { ChecksumCRC64NVME: checksumText(put.checksum) } : {}),
  });
  const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
  return stored(answer, put.checksum, subject);
}

export async function copyObject(
  requests: S3Requests,
  from: DriverInfo,
  to: string,
  copy: DriverCopy,
  call: DriverCall,
): Promise<DriverPutResult> {
  const { address, keepsChecksums } = requests;
  // What is not found is the source: without `ifMatch` in the subject it is called that.
  const subject: Subject = { operation: "copy", key: to, isWrite: true, ifAbsent: copy.ifAbsent };
  const command = new CopyObjectCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(to),
    CopySource: address.copySource(from.key),
    CopySourceIfMatch: address.condition(copy.ifSourceMatch),
    MetadataDirective: "REPLACE",
    ...storedBeside(requests, copy),
    ...conditionsOf(requests, copy),
    ...(keepsChecksums ? { ChecksumAlgorithm: "CRC64NVME" } : {}),
  });
  let isNamed = false;
  try {
    const answer = await requests.send(subject, call, (client, options) =>
      client.send(command, options).catch((error: unknown) => {
        isNamed = namesCondition(error);
        throw error;
      }),
    );
    return stored(answer.CopyObjectResult ?? {}, copy.checksum, subject);
  } catch (error) {
    const isAboutEither = isStoreError(error) && error.status === 412 && copy.ifAbsent === true && !isNamed;
    if (isAboutEither) await assertSource(requests, from.key, copy.ifSourceMatch, call);
    throw error;
  }
}

/** For a refusal that does not say which end it is about. @throws StoreError `NOT_FOUND`, `VERSION_MISMATCH` */
async function assertSource(requests: S3Requests, key: string, version: string, call: DriverCall): Promise<void> {
  const source = await headObject(requests, key, call);
  if (source?.version === version) return;
  const code = source === undefined ? "NOT_FOUND" : "VERSION_MISMATCH";
  throw new StoreError(code, `the source is ${source === undefined ? "gone" : "another version"} by now`, {
    operation: "copy",
    key,
  });
}

/** Of directory buckets only. */
export async function renameObject(
  requests: S3Requests,
  from: string,
  to: string,
  { ifAbsent }: { readonly ifAbsent: boolean },
  call: DriverCall,
): Promise<void> {
  const { address, random } = requests;
  const command = new RenameObjectCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(to),
    RenameSource: address.renameSource(from),
    ClientToken: Buffer.from(random.fill(new Uint8Array(16))).toString("hex"),
    ...(ifAbsent ? { DestinationIfNoneMatch: "*" } : {}),
  });
  const subject: Subject = { operation: "rename", key: to, isWrite: true, ifAbsent };
  assertDone(await requests.send(subject, call, (client, options) => client.send(command, options)), subject);
}

export async function deleteObject(
  requests: S3Requests,
  key: string,
  { ifMatch }: { readonly ifMatch?: string },
  call: DriverCall,
): Promise<void> {
  const { address } = requests;
  const command = new DeleteObjectCommand({
    Bucket: address.bucket,
    Key: address.keyInBucket(key),
    ...(ifMatch === undefined ? {} : { IfMatch: address.condition(ifMatch) }),
  });
  const subject: Subject = { operation: "delete", key, isWrite: true, ifMatch };
  try {
    assertDone(await requests.send(subject, call, (client, options) => client.send(command, options)), subject);
  } catch (error) {
    if (!isGone(error) || ifMatch !== undefined) throw error;
  }
}

/** @returns what was not deleted */
export async function deleteObjects(
  requests: S3Requests,
  keys: readonly string[],
  call: DriverCall,
): Promise<readonly { key: string; error: Error }[]> {
  const { address, settings } = requests;
  const command = new DeleteObjectsCommand({
    Bucket: address.bucket,
    // Not quiet: an answer that names no key would be that of any proxy, and say that all are deleted.
    Delete: { Quiet: false, Objects: keys.map((key) => ({ Key: address.keyInBucket(key) })) },
  });
  // The SDK sends a CRC-32, which servers of the older protocol do not take for the digest that it wants.
  if (settings.isCustomEndpoint && !settings.isExpress) withHeader(command, "content-md5", md5Text);
  const subject: Subject = { operation: "deleteMany", isWrite: true };
  const { Deleted: deleted = [], Errors: errors = [] } = await requests.send(subject, call, (client, options) =>
    client.send(command, options),
  );
  const unnamed = new Set(keys);
  for (const { Key: name } of deleted) unnamed.delete(address.ourKey(name ?? "") ?? "");
  const failures = errors.flatMap((entry) => {
    const key = address.ourKey(entry.Key ?? "");
    if (key === undefined) throw incomplete("key for what it did not delete", subject);
    unnamed.delete(key);
    const error = mapDeleteFailure(entry, { ...subject, key, bucket: address.bucket });
    return isGone(error) ? [] : [{ key, error }];
  });
  const untold = [...unnamed].map((key) => ({ key, error: incomplete("word about this key", { ...subject, key }) }));
  return [...failures, ...untold];
}

/** Metadata and class, as the settings and the call have them. */
export function storedBeside(
  { settings }: S3Requests,
  { metadata, contentType }: DriverPut,
): {
  readonly Metadata: Record<string, string>;
  readonly ContentType: string;
  readonly StorageClass?: StorageClass;
  readonly ServerSideEncryption?: "AES256" | "aws:kms" | "aws:kms:dsse";
  readonly SSEKMSKeyId?: string;
} {
  const { storageClass, serverSideEncryption, kmsKeyId } = settings;
  return {
    Metadata: { ...metadata },
    ContentType: contentType,
    // A class that this version of the SDK does not know is sent all the same.
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
    ...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
  };
}

export function conditionsOf(
  { address }: S3Requests,
  { ifAbsent, ifMatch }: WriteCondition,
): { readonly IfNoneMatch?: "*"; readonly IfMatch?: string } {
  return {
    ...(ifAbsent === true ? { IfNoneMatch: "*" as const } : {}),
    ...(ifMatch === undefined ? {} : { IfMatch: address.condition(ifMatch) }),
  };
}

export function writeSubject(operation: string, key: string, { ifAbsent, ifMatch }: WriteCondition): Subject {
  return { operation, key, isWrite: true, ifAbsent, ifMatch };
}

/** @throws StoreError `CORRUPT` when the store kept other bytes than those that were sent */
export function stored(
  answer: { readonly ETag?: string | undefined; readonly ChecksumCRC64NVME?: string | undefined },
  checksum: bigint | undefined,
  subject: Subject,
): DriverPutResult {
  // Without it the object may be there or not: some servers answer 200 before they know.
  if (answer.ETag === undefined || answer.ETag === "") throw incomplete("ETag", subject);
  const kept = parseChecksum(answer.ChecksumCRC64NVME);
  if (kept !== undefined && checksum !== undefined && kept !== checksum) {
    const { operation, key } = subject;
    throw new StoreError("CORRUPT", "the store kept other bytes than were sent", {
      operation,
      outcome: "unknown",
      ...(key === undefined ? {} : { key }),
    });
  }
  return { version: versionOf(answer.ETag) };
}

/** For successes that say nothing: a proxy's page is one too. @throws StoreError `UNAVAILABLE` */
export function assertDone(
  { $metadata: metadata }: { readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string } },
  subject: Subject,
): void {
  if (metadata.httpStatusCode !== 204 && metadata.requestId === undefined) throw incomplete("request id", subject);
}

/** Only in the store's own words: a proxy says 404 too. */
function isGone(error: unknown): boolean {
  return isStoreError(error) && error.vendorCode === "NoSuchKey";
}

function md5Text(body: unknown): string {
  return createHash("md5")
    .update(body as string | Uint8Array)
    .digest("base64");
}
