import { type DriverInfo, StoreError } from "@varve/fs-core";
import { versionOf } from "./version.ts";

/** What the headers of an answer say of a blob. */
export interface BlobHeaders {
  readonly etag?: string;
  readonly contentLength?: number;
  readonly contentType?: string;
  readonly lastModified?: Date;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * No checksum: the service keeps none of block blobs.
 * @param size where `contentLength` is that of a range
 * @throws StoreError `UNAVAILABLE` for an answer without size or time, as a proxy makes it: an object would look empty
 */
export function infoOf(
  key: string,
  headers: BlobHeaders,
  size: number | undefined = headers.contentLength,
): DriverInfo {
  if (size === undefined || headers.lastModified === undefined) {
    throw new StoreError("UNAVAILABLE", "the answer does not tell the object's size and time");
  }
  const metadata = Object.entries(headers.metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    key,
    size,
    version: versionOf(headers.etag),
    lastModifiedMs: headers.lastModified.getTime(),
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    contentType: headers.contentType,
    checksum: undefined,
  };
}
