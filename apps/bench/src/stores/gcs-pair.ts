/**
 * `@varve/fs-gcs` beside `@google-cloud/storage`, whose own resumable uploads are used: one chunk at a time on both sides,
 * as the protocol wants it. The client keeps its connections alive by itself and has no setting for their number.
 */
import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Storage } from "@google-cloud/storage";
import { createGcsDriver } from "@varve/fs-gcs";
import { countBytes, partBytes, type StoreClient, type StorePair, type StoreServer } from "./store-client.ts";
import { varveClient } from "./varve-client.ts";

export function openGcsPair({ url, bucket }: StoreServer): StorePair {
  return { varve: varveClient(createGcsDriver({ bucket, endpoint: url })), sdk: sdkClient(url, bucket) };
}

function sdkClient(apiEndpoint: string, bucketName: string): StoreClient {
  // The client puts eleven listeners on one stream of its own in every longer download; Node warns from the tenth on.
  EventEmitter.defaultMaxListeners = 20;
  const bucket = new Storage({ apiEndpoint, projectId: "none" }).bucket(bucketName);
  return {
    put: (key, bytes) => bucket.file(key).save(bytes, { resumable: false }),
    async putStream(key, source) {
      const sink = bucket.file(key).createWriteStream({ resumable: true, chunkSize: partBytes });
      await pipeline(Readable.from(source, { objectMode: false }), sink);
    },
    async get(key) {
      const [bytes] = await bucket.file(key).download();
      return bytes.byteLength;
    },
    getStream: (key) => countBytes(bucket.file(key).createReadStream()),
    async list(prefix) {
      let keys = 0;
      let pageToken: string | undefined;
      do {
        const query = { prefix, maxResults: 1000, autoPaginate: false, ...(pageToken !== undefined && { pageToken }) };
        const [files, next] = await bucket.getFiles(query);
        keys += files.length;
        pageToken = (next as { readonly pageToken?: string } | null)?.pageToken;
      } while (pageToken !== undefined);
      return keys;
    },
    async close() {},
  };
}
