/** The server's state as tests see it. */
import type { Bucket } from "./bucket.ts";
import { crc32cText } from "./crc32c.ts";
import type { Service } from "./service.ts";
import type { StoredObject } from "./stored-object.ts";

/** One live object. */
export interface GcsObject {
  readonly name: string;
  readonly generation: string;
  readonly metageneration: string;
  readonly size: number;
  /** Base64, big-endian. */
  readonly crc32c: string;
  /** Base64; undefined for a composed object. */
  readonly md5Hash: string | undefined;
  readonly contentType: string | undefined;
  /** Custom metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Undefined for an object that was not composed. */
  readonly componentCount: number | undefined;
  /** A copy of the bytes; undefined when the server discards bodies. */
  readonly bytes: () => Uint8Array | undefined;
}

/** One resumable upload. */
export interface GcsSession {
  readonly id: string;
  readonly object: string;
  readonly persistedBytes: number;
  /** Undefined while the client has not said it. */
  readonly totalBytes: number | undefined;
  readonly state: "open" | "complete" | "failed" | "cancelled" | "expired";
}

export function objectSnapshots(service: Service, bucketName: string): readonly GcsObject[] {
  const bucket = knownBucket(service, bucketName);
  return bucket.names().map((name) => snapshotOf(bucket.get(name)));
}

function snapshotOf({
  name,
  generation,
  metageneration,
  content,
  attributes,
  componentCount,
}: StoredObject): GcsObject {
  return {
    name,
    generation: String(generation),
    metageneration: String(metageneration),
    size: content.size,
    crc32c: crc32cText(content.crc32c),
    md5Hash: content.md5,
    contentType: attributes.text.contentType,
    metadata: Object.fromEntries(attributes.custom),
    componentCount,
    bytes: () => (content.chunks === undefined ? undefined : Uint8Array.from(Buffer.concat(content.chunks))),
  };
}

export function sessionSnapshots(service: Service, bucketName: string): readonly GcsSession[] {
  const bucket = knownBucket(service, bucketName);
  return service.sessions
    .all()
    .filter(({ start }) => start.bucket === bucket)
    .map(({ start, persistedBytes, totalBytes, end }) => ({
      id: start.id,
      object: start.name,
      persistedBytes,
      totalBytes,
      state: end === undefined ? "open" : end.kind === "gone" ? end.why : end.kind,
    }));
}

function knownBucket(service: Service, name: string): Bucket {
  const bucket = service.buckets.get(name);
  if (bucket === undefined) throw new RangeError(`bucket: there is no ${name} here`);
  return bucket;
}
