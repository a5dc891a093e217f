/**
 * Reads. The JSON API sends no custom metadata beside the bytes, so what is known of the object is asked for first, and
 * the bytes then of exactly that generation: two requests. A read of a version that was looked at before (what a stream
 * that resumes does, or ranges after a `head`) is one request.
 */
import type { IncomingMessage } from "node:http";
import { type DriverBody, type DriverGet, isStoreError, StoreError } from "@varve/fs-core";
import { bodyChunks } from "./body-chunks.ts";
import type { GcsClient } from "./gcs-client.ts";
import { generationOf } from "./generation.ts";
import { InfoCache } from "./info-cache.ts";
import { isBucketMissing, notTheStore } from "./map-gcs-error.ts";
import { objectPath, withQuery } from "./object-address.ts";
import { type GcsObjectInfo, infoFields, parseInfo } from "./object-resource.ts";

/** An object by both of its names: `key` is the driver's, `name` the bucket's. */
export interface ReadTarget {
  readonly key: string;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** How often an object may be replaced between the two requests of a read. A busy counter was seen to do it twice. */
const looksMax = 8;

interface Span {
  readonly offset: number;
  readonly length: number;
}

export class ObjectReader {
  readonly #client: GcsClient;
  readonly #bucket: string;
  readonly #known = new InfoCache();

  constructor(client: GcsClient, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async head(target: ReadTarget): Promise<GcsObjectInfo | undefined> {
    try {
      return await this.#info(target, {});
    } catch (error) {
      if (isStoreError(error) && error.code === "NOT_FOUND" && !isBucketMissing(error)) return undefined;
      throw error;
    }
  }

  async get(target: ReadTarget, request: DriverGet): Promise<DriverBody> {
    for (let look = 1; look <= looksMax; look++) {
      const body = await this.#getOnce(target, request);
      if (body !== undefined) return body;
    }
    throw new StoreError("CONFLICT", `the object was replaced ${looksMax} times while the read began`);
  }

  close(): void {
    this.#known.clear();
  }

  /** @returns undefined when the object was replaced between the two requests */
  async #getOnce(target: ReadTarget, { range, ifMatch }: DriverGet): Promise<DriverBody | undefined> {
    const ifGenerationMatch = ifMatch === undefined ? undefined : generationOf(ifMatch);
    const known = ifMatch === undefined ? undefined : this.#known.get(target.key, ifMatch);
    const info = known ?? (await this.#info(target, { ifGenerationMatch }));
    const span = spanOf(range, info.size);
    // HTTP cannot ask for no bytes.
    if (span.length === 0 && info.size > 0)
      return { info, range: span, chunks: bodyChunks(undefined, undefined, target.signal) };
    const answer = await this.#open(target, info, span, ifGenerationMatch !== undefined);
    if (answer === undefined) return undefined;
    try {
      assertSpan(answer, span, info);
      const isCurrent = known === undefined || answer.headers["x-goog-metageneration"] === info.metageneration;
      const current = isCurrent ? info : await this.#info(target, { generation: info.version });
      const isWhole = span.length === info.size;
      return {
        info: current,
        range: span,
        chunks: bodyChunks(answer, isWhole ? info.crc32c : undefined, target.signal),
      };
    } catch (error) {
      answer.destroy();
      throw error;
    }
  }

  async #info(
    { key, name, signal }: ReadTarget,
    which: { readonly ifGenerationMatch?: string | undefined; readonly generation?: string },
  ): Promise<GcsObjectInfo> {
    const path = withQuery(objectPath(this.#bucket, name), { fields: infoFields, ...which });
    const value = await this.#client.sendForJson({ method: "GET", target: { path }, changes: false, signal });
    const info = parseInfo(key, value);
    this.#known.set(info);
    return info;
  }

  /** @returns undefined when the generation is gone, and any would do */
  async #open(
    { name, signal }: ReadTarget,
    { version, size }: GcsObjectInfo,
    { offset, length }: Span,
    isConditional: boolean,
  ): Promise<IncomingMessage | undefined> {
    // A generation that was replaced may still be there, in buckets that keep old ones: good for a read of whatever was
    // there, but not for one that wants the version to be the live one.
    const which = isConditional ? { ifGenerationMatch: version } : { generation: version };
    const isPart = length < size;
    try {
      return await this.#client.stream({
        method: "GET",
        target: { path: withQuery(objectPath(this.#bucket, name), { alt: "media", ...which }) },
        headers: {
          // Stored bytes as they are: without it the store inflates what other writers stored compressed.
          "accept-encoding": "gzip",
          ...(isPart ? { range: `bytes=${offset}-${offset + length - 1}` } : {}),
        },
        changes: false,
        signal,
      });
    } catch (error) {
      if (isConditional || !isStoreError(error) || error.code !== "NOT_FOUND") throw error;
      return undefined;
    }
  }
}

/** The bytes that are asked for. @throws StoreError `INVALID_RANGE` */
function spanOf(range: DriverGet["range"], size: number): Span {
  if (range === undefined) return { offset: 0, length: size };
  const offset = "suffixLength" in range ? Math.max(0, size - range.suffixLength) : range.offset;
  if (offset >= size) {
    throw new StoreError("INVALID_RANGE", `the range begins at ${offset}, and the object has ${size} bytes`);
  }
  const wanted = "suffixLength" in range ? range.suffixLength : (range.length ?? size);
  return { offset, length: Math.min(wanted, size - offset) };
}

/** Whether the answer is about the bytes that were asked for. @throws StoreError `UNAVAILABLE` */
function assertSpan(
  { statusCode, headers }: IncomingMessage,
  { offset, length }: Span,
  { size, version }: GcsObjectInfo,
): void {
  const status = statusCode ?? 0;
  const isPart = length < size;
  if (status !== (isPart ? 206 : 200))
    throw notTheStore(`${status} for ${isPart ? "a range" : "a whole object"}`, false, status);
  const wanted = `bytes ${offset}-${offset + length - 1}/${size}`;
  if (isPart && headers["content-range"] !== wanted) throw notTheStore(`not the range ${wanted}`, false, status);
  const { "content-length": sent, "x-goog-generation": generation = version } = headers;
  if (sent !== undefined && sent !== String(length)) throw notTheStore(`${sent} bytes, not ${length}`, false, status);
  if (generation !== version) throw notTheStore("another generation", false, status);
}
