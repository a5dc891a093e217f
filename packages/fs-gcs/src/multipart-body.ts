/** The body of an upload in one request: a resource and the bytes it describes (RFC 2387 multipart/related). */
import type { Random } from "@varve/fs-core";

export interface MultipartBody {
  readonly contentType: string;
  /** `bytes` themselves stand in the middle: they are not copied. */
  readonly pieces: readonly Uint8Array[];
}

/** @param resource JSON */
export function multipartBody(resource: string, bytes: Uint8Array, contentType: string, random: Random): MultipartBody {
  // 128 random bits do not occur in the bytes, so they need not be searched.
  const boundary = `varve${Buffer.from(random.fill(new Uint8Array(16))).toString("hex")}`;
  const head =
    `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${resource}\r\n` +
    `--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`;
  return {
    contentType: `multipart/related; boundary=${boundary}`,
    pieces: [Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)],
  };
}
