/** The JSON API's object resource, https://cloud.google.com/storage/docs/json_api/v1/objects#resource, checked. */
import type { DriverInfo, DriverPut, ListedObject } from "@varve/fs-core";
import { formatCrc32c, parseCrc32c } from "./crc32c.ts";
import { notTheStore } from "./map-gcs-error.ts";

/** What writes ask to be told. */
export const writtenFields = "generation,size,crc32c";
/** What a {@link parseInfo} needs. */
export const infoFields: string = `${writtenFields},metageneration,updated,contentType,metadata`;
/** What a {@link parseListed} needs, and the rest of a page. `kind` is all that an empty page says. */
export const listFields = "kind,items(name,generation,size,updated),prefixes,nextPageToken";

/** What the store says of an object that it just stored. */
export interface WrittenObject {
  readonly generation: string;
  readonly size: number;
  /** CRC-32C of all bytes; undefined for some composed ones. */
  readonly crc32c: number | undefined;
}

/** {@link DriverInfo} and what else a read needs. */
export interface GcsObjectInfo extends DriverInfo {
  /** Changes with the metadata. */
  readonly metageneration: string;
  readonly crc32c: number | undefined;
}

/** @throws StoreError `UNAVAILABLE` when `value` is no object resource */
export function parseWritten(value: unknown, changes: boolean): WrittenObject {
  const { generation, size, crc32c } = record(value);
  if (!isGeneration(generation)) throw notTheStore("no generation", changes);
  return {
    generation,
    size: parseSize(size, changes),
    crc32c: typeof crc32c === "string" ? parseCrc32c(crc32c) : undefined,
  };
}

/** @throws StoreError `UNAVAILABLE` when `value` is no object resource */
export function parseInfo(key: string, value: unknown): GcsObjectInfo {
  const { generation, size, crc32c } = parseWritten(value, false);
  const { metageneration, updated, contentType, metadata } = record(value);
  return {
    key,
    size,
    version: generation,
    lastModifiedMs: parseTime(updated),
    metadata: parseMetadata(metadata),
    contentType: typeof contentType === "string" ? contentType : undefined,
    // CRC-64/NVME is none of the checksums that Cloud Storage keeps.
    checksum: undefined,
    metageneration: typeof metageneration === "string" ? metageneration : "",
    crc32c,
  };
}

/** @throws StoreError `UNAVAILABLE` when `value` is no object resource */
export function parseListed(value: unknown): Omit<ListedObject, "kind"> {
  const { name, updated } = record(value);
  const { generation, size } = parseWritten(value, false);
  if (typeof name !== "string") throw notTheStore("no name", false);
  return { key: name, size, version: generation, lastModifiedMs: parseTime(updated) };
}

/** What is sent: metadata is replaced as a whole. `crc32c` makes the store refuse other bytes. */
export function resourceOf(
  name: string | undefined,
  { metadata, contentType }: Pick<DriverPut, "contentType" | "metadata">,
  crc32c?: number,
): string {
  return JSON.stringify({
    name,
    contentType,
    metadata,
    crc32c: crc32c === undefined ? undefined : formatCrc32c(crc32c),
  });
}

/** `value` as an object, whatever it is. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isGeneration(value: unknown): value is string {
  return typeof value === "string" && /^[1-9]\d{0,18}$/.test(value);
}

/** 64-bit numbers travel as text. */
function parseSize(size: unknown, changes: boolean): number {
  if (typeof size === "string" && /^\d{1,16}$/.test(size)) return Number(size);
  throw notTheStore("no size", changes);
}

function parseTime(time: unknown): number {
  const ms = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(ms)) throw notTheStore("no time", false);
  return ms;
}

function parseMetadata(metadata: unknown): Record<string, string> {
  const parsed: Record<string, string> = {};
  for (const [name, value] of Object.entries(record(metadata))) {
    // Names of other writers may have capitals.
    if (typeof value === "string") parsed[name.toLowerCase()] = value;
  }
  return parsed;
}
