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

/** A success that names no version is the service's when it has what all its answers have. @throws StoreError `UNAVAILABLE` */
export function assertServices({ requestId }: { readonly requestId?: string }): void {
  if (requestId === undefined || requestId === "") {
    throw new StoreError("UNAVAILABLE", "an answer came that is not one of the service's", { outcome: "unknown" });
  }
}
