/**
 * Where a cached part lies: `parts/<2>/<32>-<16>-<number>`, of which the digits are of digests of what identifies it. Digests,
 * because keys and versions hold characters that file names may not; the file itself says in full whose it is.
 */
import { createHash } from "node:crypto";
import { joinPath } from "../../file-system/path-rules.ts";

/** One version of one object, cut into parts of one size. */
export interface CachedObject {
  readonly storeId: string;
  readonly key: string;
  readonly version: string;
  readonly partBytes: number;
}

export const partsFolder = "parts";

/** Of all files of one key, whatever the version. */
export function keyDigest(storeId: string, key: string): string {
  return digestOf([storeId, key]).slice(0, 32);
}

/** Of all files of one version: a file's name is this, a hyphen and the part's number. */
export function objectName({ storeId, key, version, partBytes }: CachedObject): string {
  return `${keyDigest(storeId, key)}-${digestOf([version, String(partBytes)]).slice(0, 16)}`;
}

export function partName(object: string, number: number): string {
  return `${object}-${number}`;
}

export function partPath(name: string): string {
  return joinPath(folderOf(name), name);
}

export function folderOf(name: string): string {
  return joinPath(partsFolder, name.slice(0, 2));
}

/** The digest of the key in a part's name. */
export function keyDigestOf(name: string): string {
  return name.slice(0, 32);
}

const form = /^[0-9a-f]{32}-[0-9a-f]{16}-(?:0|[1-9][0-9]{0,9})$/;

/** Whether a file of this name is a cached part. */
export function isPartName(name: string): boolean {
  return form.test(name);
}

function digestOf(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}
