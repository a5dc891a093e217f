import { StoreError } from "@varve/fs-core";

/** An entity tag as headers have it, and listings have it without quotes. */
export function versionOf(etag: string | undefined): string {
  const version = etag?.replace(/^(?:W\/)?"(.*)"$/, "$1");
  if (version === undefined || version === "") {
    throw new StoreError("UNAVAILABLE", "the answer names no version (ETag)", { outcome: "unknown" });
  }
  return version;
}

/** A version as conditions have it. */
export function etagOf(version: string): string {
  return `"${version}"`;
}
