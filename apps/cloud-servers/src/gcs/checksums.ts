/** Checksums that a client sends along, and what becomes of them. */
import { invalid } from "./api-error.ts";
import type { Content } from "./content.ts";
import { crc32cText } from "./crc32c.ts";

/** What the client says that the bytes have, in base64. */
export interface ExpectedChecksums {
  readonly crc32c?: string;
  readonly md5?: string;
}

/**
 * Of X-Goog-Hash (`crc32c=…,md5=…`) and Content-MD5.
 * @throws ApiError 400 for another form or an unknown algorithm
 */
export function checksumsInHeaders(headers: Readonly<Record<string, string>>): ExpectedChecksums {
  const found: { crc32c?: string; md5?: string } = {};
  for (const part of (headers["x-goog-hash"] ?? "").split(",")) {
    if (part.trim() === "") continue;
    const [, algorithm = "", value = ""] = /^\s*([a-z0-9]+)=(\S+)\s*$/.exec(part) ?? [];
    if (algorithm !== "crc32c" && algorithm !== "md5") throw invalid(`Invalid X-Goog-Hash: ${part.trim()}`);
    found[algorithm] = value;
  }
  const contentMd5 = headers["content-md5"];
  return contentMd5 === undefined ? found : { ...found, md5: contentMd5 };
}

/** @throws ApiError 400 with what was sent and what was computed */
export function verifyChecksums(content: Content, ...expectations: readonly ExpectedChecksums[]): void {
  const computed = crc32cText(content.crc32c);
  for (const { crc32c, md5 } of expectations) {
    if (crc32c !== undefined && crc32c !== computed) {
      throw invalid(`Provided CRC32C "${crc32c}" is not the calculated CRC32C "${computed}".`);
    }
    if (md5 !== undefined && md5 !== content.md5) {
      throw invalid(`Provided MD5 hash "${md5}" is not the calculated MD5 hash "${content.md5 ?? ""}".`);
    }
  }
}
