// Goal: the protocol server is one that the vendor's own client takes for S3, so that what our code sees of it is real.
// Method: the SDK's commands against it, with its default checksums and signatures, streams and errors included.
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  RenameObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { type S3Server, type S3ServerOptions, startS3Server } from "@varve/cloud-servers";
import { afterEach, expect, test } from "vitest";

const credentials = { accessKeyId: "AKIATEST", secretAccessKey: "a secret/of+a test", sessionToken: "a token" };
const Bucket = "bucket";
const Key = "a folder/ké+y&.bin";
const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(options: Partial<S3ServerOptions> = {}): Promise<{ server: S3Server; client: S3Client }> {
  const server = await startS3Server({ buckets: [Bucket], credentials, ...options });
  const client = new S3Client({
    endpoint: server.url,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 3,
  });
  closing.push(
    () => client.destroy(),
    () => server.close(),
  );
  return { server, client };
}

test("puts, reads and deletes", async () => {
  const { server, client } = await start();
  const put = await client.send(
    new PutObjectCommand({ Bucket, Key, Body: "0123456789", Metadata: { color: "blue" }, ContentType: "text/plain" }),
  );
  expect([put.ChecksumCRC32, put.ChecksumType]).toEqual(["poTHxg==", "FULL_OBJECT"]);
  expect(server.requests[0]?.headers["x-amz-checksum-crc32"]).toBe(put.ChecksumCRC32);
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await got.Body?.transformToString()).toBe("0123456789");
  expect([got.ETag, got.Metadata, got.ContentType]).toEqual([put.ETag, { color: "blue" }, "text/plain"]);
  const range = await client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=2-4" }));
  expect([await range.Body?.transformToString(), range.ContentRange]).toEqual(["234", "bytes 2-4/10"]);
  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  expect([head.ContentLength, head.ChecksumCRC32]).toEqual([10, put.ChecksumCRC32]);
  await client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: put.ETag }));
  await expect(client.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: "NoSuchKey" });
  await expect(client.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: "NotFound" });
});

test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
  "streams with %s in the trailer",
  async (ChecksumAlgorithm) => {
    const { server, client } = await start();
    const pieces = Array.from({ length: 8 }, (_, index) => Buffer.alloc(65_536, index));
    await client.send(
      new PutObjectCommand({ Bucket, Key, Body: Readable.from(pieces), ContentLength: 8 * 65_536, ChecksumAlgorithm }),
    );
    expect(server.requests[0]?.headers["x-amz-trailer"]).toBe(`x-amz-checksum-${ChecksumAlgorithm.toLowerCase()}`);
    expect(Buffer.concat(pieces).equals(server.objects(Bucket).get(Key)?.data ?? new Uint8Array())).toBe(true);
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect((await got.Body?.transformToByteArray())?.length).toBe(8 * 65_536);
  },
);

test("conditions are the errors that the SDK knows", async () => {
  const { client } = await start();
  await client.send(new PutObjectCommand({ Bucket, Key, Body: "x", IfNoneMatch: "*" }));
  await expect(client.send(new PutObjectCommand({ Bucket, Key, Body: "x", IfNoneMatch: "*" }))).rejects.toMatchObject({
    name: "PreconditionFailed",
    $metadata: { httpStatusCode: 412 },
  });
  await expect(client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=5-" }))).rejects.toMatchObject({
    name: "InvalidRange",
  });
  await expect(client.send(new HeadBucketCommand({ Bucket: "none" }))).rejects.toMatchObject({ name: "NotFound" });
  await expect(client.send(new PutObjectCommand({ Bucket, Key, ACL: "private" }))).rejects.toMatchObject({
    name: "NotImplemented",
  });
});

test("uploads in parts, lists them, and copies", async () => {
  const { client } = await start();
  const parts = [Buffer.alloc(5 * 2 ** 20, "a"), Buffer.alloc(100, "b")];
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC64NVME" }),
  );
  const done = await Promise.all(
    parts.map(async (Body, index) => {
      const PartNumber = index + 1;
      const part = await client.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC64NVME" }),
      );
      return { PartNumber, ETag: part.ETag, ChecksumCRC64NVME: part.ChecksumCRC64NVME };
    }),
  );
  const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  expect(uploads.Uploads?.map((upload) => [upload.Key, upload.UploadId])).toEqual([[Key, UploadId]]);
  const listed = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
  expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [1, 5 * 2 ** 20],
    [2, 100],
  ]);
  const completed = await client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: done }, IfNoneMatch: "*" }),
  );
  expect([completed.ChecksumType, completed.ETag?.endsWith('-2"')]).toEqual(["FULL_OBJECT", true]);
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(Buffer.concat(parts).equals((await got.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);

  const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
  const copied = await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
  expect(copied.CopyObjectResult?.ChecksumCRC64NVME).toBe(completed.ChecksumCRC64NVME);
  const second = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
  const place = { Bucket, Key: "parts", UploadId: second.UploadId };
  const part = await client.send(
    new UploadPartCopyCommand({ ...place, PartNumber: 1, CopySource, CopySourceRange: "bytes=0-9" }),
  );
  await client.send(
    new CompleteMultipartUploadCommand({
      ...place,
      MultipartUpload: { Parts: [{ PartNumber: 1, ...part.CopyPartResult }] },
    }),
  );
  const tenth = await client.send(new GetObjectCommand({ Bucket, Key: "parts" }));
  expect(await tenth.Body?.transformToString()).toBe("a".repeat(10));
  const third = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: third.UploadId }));
  expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
});

test("lists in pages and deletes what it listed", async () => {
  const { server, client } = await start();
  const keys = Array.from({ length: 25 }, (_, index) => `k/${String(index).padStart(2, "0")}&<é>`);
  for (const key of keys) await client.send(new PutObjectCommand({ Bucket, Key: key, Body: key }));
  const found: (string | undefined)[] = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 10 }, { Bucket, Prefix: "k/" })) {
    found.push(...(page.Contents ?? []).map((object) => object.Key));
  }
  expect(found).toEqual(keys);
  const deleted = await client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((each) => ({ Key: each })) } }),
  );
  expect([deleted.Deleted?.length, deleted.Errors ?? []]).toEqual([25, []]);
  expect(server.objects(Bucket).size).toBe(0);
  expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
});

test("faults reach the SDK as what they are: it retries some, and reports others", async () => {
  const { server, client } = await start();
  server.faults.add({ operation: "PutObject", nth: 1, action: { kind: "status", status: 503, when: "before" } });
  await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  expect(server.requests.map(({ status }) => status)).toEqual([503, 200]);
  server.faults.add({ operation: "GetObject", nth: 1, action: { kind: "corruptBody", at: 0 } });
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  await expect(got.Body?.transformToString()).rejects.toThrow(/[Cc]hecksum/);
  server.faults.add({ operation: "PutObject", nth: 1, action: { kind: "reset", when: "after" } });
  await expect(
    client.send(new PutObjectCommand({ Bucket, Key: "new", Body: "x", IfNoneMatch: "*" })),
  ).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
});

test("a wrong secret, and a directory bucket's rename", async () => {
  const { server, client } = await start({ quirks: { express: true } });
  await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  await client.send(new RenameObjectCommand({ Bucket, Key: "new", RenameSource: encodeURIComponent(Key) }));
  expect([...server.objects(Bucket).keys()]).toEqual(["new"]);
  const stranger = new S3Client({
    endpoint: server.url,
    region: "us-east-1",
    credentials: { ...credentials, secretAccessKey: "guess" },
    forcePathStyle: true,
  });
  closing.push(() => stranger.destroy());
  await expect(stranger.send(new GetObjectCommand({ Bucket, Key: "new" }))).rejects.toMatchObject({
    name: "SignatureDoesNotMatch",
  });
});
