/**
 * The part of an object resource that clients write. Strict: what this server does not keep is refused, and a field
 * that only the service writes is passed over, as the service does.
 * https://cloud.google.com/storage/docs/json_api/v1/objects#resource
 */
import { invalid, notImplemented } from "./api-error.ts";
import type { ExpectedChecksums } from "./checksums.ts";

const textFields = ["cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType"] as const;
const storageClasses = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];

/** Immutable. */
export interface Attributes {
  readonly text: Readonly<Partial<Record<(typeof textFields)[number], string>>>;
  readonly storageClass: string;
  /** Custom metadata: up to 8 KiB of names and values together. */
  readonly custom: ReadonlyMap<string, string>;
}

/** What an upload's metadata says beyond the attributes. */
export interface ParsedResource {
  readonly name: string | undefined;
  readonly attributes: Attributes;
  readonly checksums: ExpectedChecksums;
}

/** Without any. */
export const noAttributes: Attributes = { text: {}, storageClass: "STANDARD", custom: new Map() };

/** Field → the value that asks for nothing; any other is answered with 501. */
const leftOut: Readonly<Record<string, unknown>> = {
  acl: undefined,
  contexts: undefined,
  customTime: undefined,
  customerEncryption: undefined,
  eventBasedHold: false,
  kmsKeyName: undefined,
  retention: undefined,
  temporaryHold: false,
};

/** Written by the service alone, or read elsewhere. */
const passedOver = new Set([
  ..."bucket componentCount crc32c etag generation hardDeleteTime id kind md5Hash mediaLink".split(" "),
  ..."metageneration name owner retentionExpirationTime selfLink size softDeleteTime timeCreated".split(" "),
  ..."timeDeleted timeFinalized timeStorageClassUpdated updated".split(" "),
]);

/**
 * Of a whole resource, as an upload or a copy brings it.
 * @param body parsed JSON; read only
 * @throws ApiError 400 or 501
 */
export function parseResource(body: Readonly<Record<string, unknown>>): ParsedResource {
  return {
    name: optionalText(body, "name"),
    attributes: patchAttributes(noAttributes, body),
    checksums: checksumsOf(body),
  };
}

function checksumsOf(body: Readonly<Record<string, unknown>>): ExpectedChecksums {
  const crc32c = optionalText(body, "crc32c");
  const md5 = optionalText(body, "md5Hash");
  return { ...(crc32c === undefined ? {} : { crc32c }), ...(md5 === undefined ? {} : { md5 }) };
}

/**
 * `before` with the changes of a patch: null deletes a field, within `metadata` too; what is absent stays.
 * @throws ApiError 400 or 501
 */
export function patchAttributes(before: Attributes, patch: Readonly<Record<string, unknown>>): Attributes {
  const text: Partial<Record<(typeof textFields)[number], string>> = { ...before.text };
  let { storageClass, custom } = before;
  for (const [field, value] of Object.entries(patch)) {
    const textField = textFields.find((name) => name === field);
    if (textField !== undefined) {
      if (value === null) delete text[textField];
      else text[textField] = textOf(field, value);
    } else if (field === "storageClass") {
      storageClass = textOf(field, value);
      if (!storageClasses.includes(storageClass)) throw invalid(`Invalid storage class: ${storageClass}`);
    } else if (field === "metadata") custom = patchCustom(custom, value);
    else if (Object.hasOwn(leftOut, field)) {
      if (value !== null && value !== leftOut[field]) throw notImplemented(`the object field ${field}`);
    } else if (!passedOver.has(field)) throw invalid(`Unknown field of an object: ${field}`);
  }
  return { text, storageClass, custom };
}

function patchCustom(before: ReadonlyMap<string, string>, patch: unknown): ReadonlyMap<string, string> {
  if (patch === null) return new Map();
  if (typeof patch !== "object" || Array.isArray(patch)) throw invalid("metadata is not an object of texts");
  const after = new Map(before);
  for (const [key, value] of Object.entries(patch)) {
    if (key === "") throw invalid("A key of metadata is empty");
    if (value === null) after.delete(key);
    else after.set(key, textOf(`metadata.${key}`, value));
  }
  let bytes = 0;
  for (const [key, value] of after) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > 8192) throw invalid(`Custom metadata has ${bytes} bytes, more than 8192`);
  return after;
}

/** A text of the body, or undefined. @throws ApiError 400 for another type */
export function optionalText(body: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = body[field];
  return value === undefined || value === null ? undefined : textOf(field, value);
}

function textOf(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(`${field} is not a text`);
  return value;
}
