/**
 * `@varve/fs-s3` beside `@aws-sdk/client-s3`. The SDK has its own defaults but for connections, which are kept alive and as
 * many on both sides; it has no upload in parts of its own, so that one is written out here.
 */
import { Agent } from "node:http";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createS3Driver } from "@varve/fs-s3";
import { gatherParts } from "./gather-parts.ts";
import { s3Credentials } from "./store-accounts.ts";
import {
  countBytes,
  partBytes,
  partsInFlight,
  socketsMax,
  type StoreClient,
  type StorePair,
  type StoreServer,
} from "./store-client.ts";
import { varveClient } from "./varve-client.ts";

const region = "us-east-1";

export function openS3Pair({ url, bucket }: StoreServer): StorePair {
  const driver = createS3Driver({
    bucket,
    endpoint: url,
    region,
    credentials: s3Credentials,
    checksumMode: "store",
    maxSockets: socketsMax,
  });
  return { varve: varveClient(driver), sdk: sdkClient(url, bucket) };
}

function sdkClient(endpoint: string, Bucket: string): StoreClient {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  const client = new S3Client({
    endpoint,
    region,
    credentials: s3Credentials,
    forcePathStyle: true,
    requestHandler: { httpAgent },
  });
  const bodyOf = async (Key: string): Promise<NonNullable<Awaited<ReturnType<typeof read>>["Body"]>> => {
    const { Body } = await read(Key);
    if (Body === undefined) throw new Error(`${Key}: the answer has no body`);
    return Body;
  };
  const read = (Key: string) => client.send(new GetObjectCommand({ Bucket, Key }));
  return {
    async put(Key, Body) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    },
    putStream: (key, source) => putInParts(client, Bucket, key, source),
    async get(key) {
      return (await (await bodyOf(key)).transformToByteArray()).byteLength;
    },
    async getStream(key) {
      return countBytes((await bodyOf(key)) as AsyncIterable<Uint8Array>);
    },
    async list(Prefix) {
      let keys = 0;
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken, MaxKeys: 1000 }));
        keys += page.Contents?.length ?? 0;
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      return keys;
    },
    async close() {
      client.destroy();
      httpAgent.destroy();
    },
  };
}

/** As a careful user writes it, but for the abort after a failure: a bench that fails ends. */
async function putInParts(
  client: S3Client,
  Bucket: string,
  Key: string,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const ChecksumAlgorithm = "CRC32";
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm }));
  const parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string | undefined }[] = [];
  const inFlight = new Set<Promise<void>>();
  let PartNumber = 0;
  for await (const Body of gatherParts(source, partBytes)) {
    const number = ++PartNumber;
    const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: number, Body, ChecksumAlgorithm });
    const sent = client.send(command).then(({ ETag, ChecksumCRC32 }) => {
      parts[number - 1] = { PartNumber: number, ETag, ChecksumCRC32 };
      inFlight.delete(sent);
    });
    inFlight.add(sent);
    if (inFlight.size === partsInFlight) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }));
}
