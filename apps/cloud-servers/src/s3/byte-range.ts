/** The Range header of reads, and that of copied parts. Pure. */
import { S3Error } from "./s3-error.ts";

/** `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * @returns undefined for no range: a header that is not well-formed is ignored, as HTTP has it
 * @throws S3Error InvalidRange when no byte of it exists; NotImplemented for several ranges
 */
export function readRange(header: string | undefined, bytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  if (/^bytes=.*,/.test(header)) throw new S3Error("NotImplemented", { details: { Header: "Range" } });
  const match = /^bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))$/.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    if (Number(suffix) === 0 || bytes === 0) throw unsatisfiable(header, bytes);
    return { start: Math.max(0, bytes - Number(suffix)), end: bytes };
  }
  const start = Number(first);
  const end = last === undefined || last === "" ? bytes : Number(last) + 1;
  if (end <= start && last !== "") return undefined;
  if (start >= bytes) throw unsatisfiable(header, bytes);
  return { start, end: Math.min(end, bytes) };
}

/** `bytes=first-last` of UploadPartCopy: both ends, inside the source. @throws S3Error InvalidArgument */
export function readCopyRange(header: string | undefined, bytes: number): ByteRange {
  if (header === undefined) return { start: 0, end: bytes };
  const match = /^bytes=([0-9]+)-([0-9]+)$/.exec(header);
  if (match === null) {
    const message =
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
    throw new S3Error("InvalidArgument", { message });
  }
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  if (start >= end || end > bytes) {
    throw new S3Error("InvalidArgument", {
      message: `Range specified is not valid for source object of size: ${bytes}`,
    });
  }
  return { start, end };
}

function unsatisfiable(header: string, bytes: number): S3Error {
  return new S3Error("InvalidRange", { details: { RangeRequested: header, ActualObjectSize: String(bytes) } });
}
