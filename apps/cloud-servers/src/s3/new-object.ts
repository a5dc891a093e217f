/** What the operations that make objects have in common. */
import { type Checksum, checksumElement, checksumHeader } from "./body/checksum-algorithm.ts";
import type { Preconditions } from "./conditions.ts";
import type { Call } from "./operation.ts";
import type { S3Quirks } from "./options.ts";
import type { StoredObject } from "./stored-object.ts";
import type { XmlElement } from "./xml-writer.ts";

/** A directory bucket's ETags tell nothing about the bytes. */
export function etagFor(call: Call, etag: string): string {
  if (!call.options.quirks.express) return etag;
  return `"${Buffer.from(call.options.random.fill(new Uint8Array(16))).toString("hex")}"`;
}

/** Gives the object to the bucket, without what the server does not keep. */
export function store(call: Call, object: Omit<StoredObject, "lastModifiedMs">): StoredObject {
  const checksum = call.options.quirks.noChecksums ? undefined : object.checksum;
  const stored: StoredObject = { ...object, checksum, lastModifiedMs: call.wallMs };
  call.bucket.put(stored);
  return stored;
}

/** The preconditions of a write, as far as the server heeds them; `ignoring` is the quirk that might not. */
export function writeConditions(call: Call, ignoring: keyof S3Quirks | undefined): Preconditions {
  const { quirks } = call.options;
  return {
    ifMatch: quirks.ignoreIfMatch ? undefined : call.header("if-match"),
    ifNoneMatch: ignoring !== undefined && quirks[ignoring] ? undefined : call.header("if-none-match"),
  };
}

/** Headers of an answer that tells a checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

/** The same in a document. */
export function checksumElements(checksum: Checksum | undefined): readonly XmlElement[] {
  if (checksum === undefined) return [];
  return [
    [checksumElement(checksum.algorithm), checksum.value],
    ["ChecksumType", checksum.type],
  ];
}
