/**
 * The headers by which a resumable upload tells how far it is,
 * https://cloud.google.com/storage/docs/performing-resumable-uploads.
 */

/** Every piece but the last is a multiple of this. */
export const pieceBytesMultiple = 262_144;

/** `Content-Range` of `length` bytes at `offset`; `total` undefined while more may follow. */
export function contentRange(offset: number, length: number, total: number | undefined): string {
  const span = length === 0 ? "*" : `${offset}-${offset + length - 1}`;
  return `bytes ${span}/${total ?? "*"}`;
}

/** Bytes that the store has, from the `Range` of a 308; undefined when it is malformed. */
export function persistedBytes(range: string | undefined): number | undefined {
  // Nothing persisted: no header.
  if (range === undefined) return 0;
  const [, last] = /^bytes=0-(\d{1,15})$/.exec(range) ?? [];
  return last === undefined ? undefined : Number(last) + 1;
}
