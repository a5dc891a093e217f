/**
 * The Content-Range header of a resumable upload's requests.
 * https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { invalid } from "./api-error.ts";

/** What a request to a session brings. */
export interface ContentRange {
  /** Undefined: no bytes, the request asks how far the upload is. */
  readonly bytes:
    | {
        readonly first: number;
        /** Undefined for `bytes a-*`: as many as the body has, and they are the last ones. */
        readonly last: number | undefined;
      }
    | undefined;
  /** Of the whole object; undefined for `*`. */
  readonly total: number | undefined;
}

/**
 * Without the header, the body is the object from its first byte to its last.
 * @throws ApiError 400
 */
export function parseContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { bytes: { first: 0, last: undefined }, total: undefined };
  const match = /^bytes (?:\*|(\d{1,15})-(\d{1,15}|\*))\/(\d{1,15}|\*)$/.exec(header);
  if (match === null) throw invalid(`Failed to parse Content-Range header: ${header.slice(0, 100)}`);
  const [, first, last, totalText] = match;
  const total = totalText === "*" ? undefined : Number(totalText);
  if (first === undefined) return { bytes: undefined, total };
  const bytes = { first: Number(first), last: last === "*" ? undefined : Number(last) };
  if (bytes.last !== undefined && bytes.last < bytes.first)
    throw invalid(`Content-Range ends before it begins: ${header}`);
  if (total !== undefined && (bytes.last ?? bytes.first - 1) >= total) {
    throw invalid(`Content-Range goes beyond its total: ${header}`);
  }
  return { bytes, total };
}
