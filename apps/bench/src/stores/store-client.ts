/** The same work through a store of ours or through the vendor's own client. */

/** Bytes of a part, and parts in flight, of every large upload on either side. */
export const partBytes: number = 8 * 2 ** 20;
export const partsInFlight = 4;
/** Connections that either side may open. No work has more requests in flight. */
export const socketsMax = 64;

/** Either side of a comparison. Keys are plain ASCII. */
export interface StoreClient {
  /** In one request. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** A stream of unknown length, in parts of {@link partBytes}, {@link partsInFlight} at once where the store takes several. */
  putStream(key: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** All bytes in one piece, as a caller wants a small object; resolves with their number. */
  get(key: string): Promise<number>;
  /** Each piece is dropped as it comes; resolves with the number of bytes. */
  getStream(key: string): Promise<number>;
  /** In pages of 1000; resolves with the number of keys. */
  list(prefix: string): Promise<number>;
  close(): Promise<void>;
}

/** Both sides, on one server. */
export interface StorePair {
  readonly varve: StoreClient;
  readonly sdk: StoreClient;
}

/** Where a server is, and its bucket or container. */
export interface StoreServer {
  readonly url: string;
  readonly bucket: string;
  /** Ends its process. */
  stop(): Promise<void>;
}

export const backends = ["s3", "azure", "gcs"] as const;
export type BackendName = (typeof backends)[number];

/** Bytes that a stream of answers has. */
export async function countBytes(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.byteLength;
  return bytes;
}
