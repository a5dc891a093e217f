/** The Range header of a download. RFC 9110, section 14. */
import { ApiError, notImplemented } from "./api-error.ts";

/** Bytes [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Undefined: send the whole. A header that is not of the form is passed over, as the RFC asks for.
 * @param size of the object in bytes
 * @throws ApiError 416 when no byte is in the range, 501 for several ranges
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const spec = /^bytes=(.*)$/.exec(header ?? "")?.[1];
  if (spec === undefined) return undefined;
  if (spec.includes(",")) throw notImplemented("several ranges in one request");
  const [, first = "", last = ""] = /^ *(\d*)-(\d*) *$/.exec(spec) ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const suffix = Number(last);
    if (suffix === 0 || size === 0) throw notSatisfiable(size);
    return { start: Math.max(0, size - suffix), end: size };
  }
  if (last !== "" && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) throw notSatisfiable(size);
  return { start: Number(first), end: last === "" ? size : Math.min(size, Number(last) + 1) };
}

function notSatisfiable(size: number): ApiError {
  return new ApiError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", {
    headers: { "content-range": `bytes */${size}` },
  });
}
