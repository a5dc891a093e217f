/** Downloads: ranges as the service has them, and where the bytes of an answer lie. */
import { Readable } from "node:stream";
import { type DriverBody, type DriverGet, StoreError } from "@varve/fs-core";
import type { BlockBlobClient } from "@azure/storage-blob";
import { infoOf } from "./blob-info.ts";
import { responseBody } from "./response-body.ts";
import { etagOf, versionOf } from "./version.ts";

export async function getBlob(
  blob: BlockBlobClient,
  key: string,
  { range, ifMatch }: DriverGet,
  signal: AbortSignal,
): Promise<DriverBody> {
  const wanted =
    range !== undefined && "suffixLength" in range
      ? await lastBytes(blob, range.suffixLength, ifMatch, signal)
      : { offset: range?.offset ?? 0, length: range?.length, ifMatch };
  const answer = await download(blob, wanted, signal);
  const stream = answer.readableStreamBody;
  if (!(stream instanceof Readable)) throw new StoreError("IO", "the answer has no body");
  const chunks = responseBody(stream, signal);
  try {
    const { offset, length, size } = placeOf(answer.contentRange, answer.contentLength ?? 0);
    // A range of everything is sent as none, and the emulator answers one that begins at the end with nothing.
    if (range !== undefined && wanted.offset >= size) {
      throw new StoreError("INVALID_RANGE", `the range begins beyond the object's ${size} bytes`);
    }
    if (offset !== wanted.offset) throw new StoreError("IO", `asked for bytes from ${wanted.offset}, got ${offset}`);
    const info = infoOf(key, answer, size);
    // The version that had the size: only we know that it was asked for.
    if (ifMatch === undefined && wanted.ifMatch !== undefined && info.version !== wanted.ifMatch) {
      throw new StoreError("CONFLICT", "the object was replaced while the read began");
    }
    return { info, range: { offset, length }, chunks };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function download(
  blob: BlockBlobClient,
  { offset, length, ifMatch }: { offset: number; length: number | undefined; ifMatch: string | undefined },
  signal: AbortSignal,
): ReturnType<BlockBlobClient["download"]> {
  return blob.download(offset, length, {
    // The SDK would go on by itself where an answer breaks off.
    maxRetryRequests: 0,
    conditions: ifMatch === undefined ? {} : { ifMatch: etagOf(ifMatch) },
    abortSignal: signal,
  });
}

/** The service counts from the beginning only, so the size has to be asked for; the answer is of the version that had it. */
async function lastBytes(
  blob: BlockBlobClient,
  suffixLength: number,
  ifMatch: string | undefined,
  signal: AbortSignal,
): Promise<{ offset: number; length: number; ifMatch: string }> {
  const conditions = ifMatch === undefined ? {} : { ifMatch: etagOf(ifMatch) };
  const { contentLength, etag } = await blob.getProperties({ conditions, abortSignal: signal });
  if (contentLength === undefined) throw new StoreError("UNAVAILABLE", "the answer does not tell the object's size");
  if (contentLength === 0) throw new StoreError("INVALID_RANGE", "the object is empty");
  const length = Math.min(suffixLength, contentLength);
  return { offset: contentLength - length, length, ifMatch: versionOf(etag) };
}

/** An answer without `Content-Range` is the whole. The emulator says `0--1/0` of nothing. */
function placeOf(
  contentRange: string | undefined,
  contentLength: number,
): { readonly offset: number; readonly length: number; readonly size: number } {
  if (contentRange === undefined) return { offset: 0, length: contentLength, size: contentLength };
  const [, first = "", last = "", size = ""] = /^bytes (\d+)-(-?\d+)\/(\d+)$/.exec(contentRange) ?? [];
  if (size === "") throw new StoreError("IO", "the answer does not say which bytes it has");
  return { offset: Number(first), length: Number(last) - Number(first) + 1, size: Number(size) };
}
