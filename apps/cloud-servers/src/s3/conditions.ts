/** Preconditions of reads, writes and deletions. Pure. */
import { S3Error } from "./s3-error.ts";
import type { StoredObject } from "./stored-object.ts";

/** Header values; undefined where there is none, or where a quirk ignores it. */
export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * A write takes `If-None-Match: *` or `If-Match` with an ETag.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @throws S3Error
 */
export function checkWrite(current: StoredObject | undefined, { ifMatch, ifNoneMatch }: Preconditions): void {
  const isUnknown = (ifNoneMatch !== undefined && ifNoneMatch !== "*") || ifMatch === "*";
  if (isUnknown || (ifMatch !== undefined && ifNoneMatch !== undefined)) {
    throw new S3Error("NotImplemented", { message: "This form of a conditional write is not implemented" });
  }
  if (ifNoneMatch !== undefined && current !== undefined) throw failed("If-None-Match");
  checkIfMatch(current, ifMatch);
}

/** A deletion takes `If-Match` with an ETag or `*`. @throws S3Error */
export function checkDeletion(current: StoredObject | undefined, ifMatch: string | undefined): void {
  checkIfMatch(current, ifMatch);
}

/** @returns whether the reader has it already @throws S3Error PreconditionFailed */
export function checkRead(current: StoredObject, { ifMatch, ifNoneMatch }: Preconditions): "fresh" | "notModified" {
  if (ifMatch !== undefined && !names(ifMatch, current)) throw failed("If-Match");
  return ifNoneMatch !== undefined && names(ifNoneMatch, current) ? "notModified" : "fresh";
}

/** The conditions on the source of a copy: both give 412. @throws S3Error PreconditionFailed */
export function checkSource(source: StoredObject, { ifMatch, ifNoneMatch }: Preconditions, prefix: string): void {
  if (ifMatch !== undefined && !names(ifMatch, source)) throw failed(`${prefix}-if-match`);
  if (ifNoneMatch !== undefined && names(ifNoneMatch, source)) throw failed(`${prefix}-if-none-match`);
}

function checkIfMatch(current: StoredObject | undefined, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return;
  if (current === undefined) throw new S3Error("NoSuchKey");
  if (!names(ifMatch, current)) throw failed("If-Match");
}

/** A list of ETags, quoted or not, or `*`. */
function names(value: string, { etag }: StoredObject): boolean {
  return value.split(",").some((each) => {
    const wanted = each.trim();
    return wanted === "*" || wanted === etag || `"${wanted}"` === etag;
  });
}

function failed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", { details: { Condition: condition } });
}
