/** An object and how the API shows it. */
import type { Attributes } from "./attributes.ts";
import type { Content } from "./content.ts";
import { crc32cText } from "./crc32c.ts";

/** Immutable: a patch makes another one. */
export interface StoredObject {
  readonly bucket: string;
  readonly name: string;
  readonly generation: bigint;
  readonly metageneration: bigint;
  readonly content: Content;
  readonly attributes: Attributes;
  /** Microseconds since 1970. */
  readonly createdUs: number;
  readonly updatedUs: number;
  /** Of a composed object: how many uploads it came from. */
  readonly componentCount: number | undefined;
}

/** Changes whenever the object or its metadata does. */
export function etagOf({ generation, metageneration }: Pick<StoredObject, "generation" | "metageneration">): string {
  return Buffer.from(`${generation}/${metageneration}`).toString("base64");
}

/** RFC 3339 with milliseconds. */
export function timeText(timeUs: number): string {
  return new Date(timeUs / 1000).toISOString();
}

/** The object resource. @param origin scheme, host and port of this server */
export function resourceOf(object: StoredObject, origin: string): object {
  const { bucket, name, generation, content, attributes } = object;
  const path = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}`;
  return {
    kind: "storage#object",
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${origin}${path}`,
    mediaLink: `${origin}/download${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation: String(generation),
    metageneration: String(object.metageneration),
    ...attributes.text,
    storageClass: attributes.storageClass,
    size: String(content.size),
    ...(content.md5 === undefined ? {} : { md5Hash: content.md5 }),
    crc32c: crc32cText(content.crc32c),
    etag: etagOf(object),
    timeCreated: timeText(object.createdUs),
    updated: timeText(object.updatedUs),
    timeStorageClassUpdated: timeText(object.createdUs),
    ...(object.componentCount === undefined ? {} : { componentCount: object.componentCount }),
    ...(attributes.custom.size === 0 ? {} : { metadata: Object.fromEntries(attributes.custom) }),
  };
}
