import type { Checksum } from "./body/checksum-algorithm.ts";
import { S3Error } from "./s3-error.ts";

/** What a client says about an object beside its bytes. */
export interface ObjectMetadata {
  /** `content-type` and its like, by lower case name. */
  readonly system: Readonly<Record<string, string>>;
  /** What follows `x-amz-meta-`, lower case. */
  readonly user: Readonly<Record<string, string>>;
}

/** An object. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** Undefined on a server that discards bodies. */
  readonly data: Uint8Array | undefined;
  /** Quoted. */
  readonly etag: string;
  /** CRC-64/NVME of all bytes. */
  readonly crc64: bigint;
  /** Undefined on a server without checksums. */
  readonly checksum: Checksum | undefined;
  readonly metadata: ObjectMetadata;
  readonly lastModifiedMs: number;
}

const systemHeaders = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
];
const userPrefix = "x-amz-meta-";
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: names and values together. */
const userBytesMax = 2048;

/** @param headers lower case names @throws S3Error MetadataTooLarge */
export function readMetadata(headers: readonly (readonly [name: string, value: string])[]): ObjectMetadata {
  const system: Record<string, string> = { "content-type": "binary/octet-stream" };
  const user: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (name.startsWith(userPrefix)) {
      const short = name.slice(userPrefix.length);
      user[short] = Object.hasOwn(user, short) ? `${user[short]},${value}` : value;
    } else if (systemHeaders.includes(name)) {
      // The coding of the request is not one of the object.
      const kept =
        name === "content-encoding" ? value.replace(/\baws-chunked\b\s*,?\s*/, "").replace(/,\s*$/, "") : value;
      if (kept !== "") system[name] = kept;
    }
  }
  const userBytes = Object.entries(user).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (userBytes > userBytesMax) {
    throw new S3Error("MetadataTooLarge", {
      details: { Size: String(userBytes), MaxSizeAllowed: String(userBytesMax) },
    });
  }
  return { system, user };
}

/** As headers of an answer. */
export function metadataHeaders({ system, user }: ObjectMetadata): Record<string, string> {
  const named = Object.entries(user).map(([name, value]) => [`${userPrefix}${name}`, value] as const);
  return { ...system, ...Object.fromEntries(named) };
}

/** The form of HTTP headers. */
export function httpDate(wallMs: number): string {
  return new Date(wallMs).toUTCString();
}

/** The form of XML documents: whole seconds, as S3 keeps them. */
export function xmlDate(wallMs: number): string {
  return new Date(Math.floor(wallMs / 1000) * 1000).toISOString();
}
