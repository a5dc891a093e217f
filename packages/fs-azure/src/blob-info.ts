import type { DriverInfo } from "@varve/fs-core";
import { versionOf } from "./version.ts";

/** What the headers of an answer say of a blob. */
export interface BlobHeaders {
  readonly etag?: string;
  readonly contentLength?: number;
  readonly contentType?: string;
  readonly lastModified?: Date;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** @param size where `contentLength` is that of a range. No checksum: the service keeps none of block blobs. */
export function infoOf(key: string, headers: BlobHeaders, size: number = headers.contentLength ?? 0): DriverInfo {
  const metadata = Object.entries(headers.metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    key,
    size,
    version: versionOf(headers.etag),
    lastModifiedMs: headers.lastModified?.getTime() ?? 0,
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    contentType: headers.contentType,
    checksum: undefined,
  };
}
