/** `@varve/fs-azure` beside `@azure/storage-blob`, whose own uploads in blocks are used. */
import { Agent } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import {
  BlobServiceClient,
  type BlockBlobUploadOptions,
  type StoragePipelineOptions,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { createAzureDriver } from "@varve/fs-azure";
import { crc64Nvme } from "@varve/fs-core";
import { azureAccount, azureAccountKey } from "./store-accounts.ts";
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

export function openAzurePair({ url, bucket }: StoreServer, isChecked: boolean): StorePair {
  const driver = createAzureDriver({
    account: azureAccount,
    accountKey: azureAccountKey,
    endpoint: url,
    container: bucket,
    connectionsMax: socketsMax,
  });
  return { varve: varveClient(driver), sdk: sdkClient(url, bucket, isChecked) };
}

/** @param isChecked single puts carry their CRC-64, as ours do always; the emulator then computes it too, byte by byte */
function sdkClient(url: string, containerName: string, isChecked: boolean): StoreClient {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  // Passed on to the SDK's pipeline, though not declared.
  const options: StoragePipelineOptions & { readonly agent: Agent } = { agent };
  const credential = new StorageSharedKeyCredential(azureAccount, azureAccountKey);
  const container = new BlobServiceClient(url, credential, options).getContainerClient(containerName);
  const checks = (bytes: Uint8Array): BlockBlobUploadOptions =>
    isChecked ? { transactionalContentCrc64: littleEndian(crc64Nvme(bytes)) } : {};
  const bodyOf = async (key: string): Promise<Readable> => {
    const { readableStreamBody } = await container.getBlockBlobClient(key).download();
    if (readableStreamBody === undefined) throw new Error(`${key}: the answer has no body`);
    return readableStreamBody as Readable;
  };
  return {
    async put(key, bytes) {
      await container.getBlockBlobClient(key).upload(bytes, bytes.byteLength, checks(bytes));
    },
    async putStream(key, source) {
      const stream = Readable.from(source, { objectMode: false });
      await container.getBlockBlobClient(key).uploadStream(stream, partBytes, partsInFlight);
    },
    async get(key) {
      // Not `downloadToBuffer`, which asks for the size first.
      return (await buffer(await bodyOf(key))).byteLength;
    },
    async getStream(key) {
      return countBytes(await bodyOf(key));
    },
    async list(prefix) {
      let keys = 0;
      for await (const page of container.listBlobsFlat({ prefix }).byPage({ maxPageSize: 1000 })) {
        keys += page.segment.blobItems.length;
      }
      return keys;
    },
    async close() {
      agent.destroy();
    },
  };
}

function littleEndian(checksum: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(checksum);
  return bytes;
}
