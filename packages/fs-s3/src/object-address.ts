/** How keys and versions are written on the way to S3 and back. */
import type { ResolvedS3Settings } from "./s3-settings.ts";

export class ObjectAddress {
  readonly bucket: string;
  readonly #prefix: string;
  readonly #etagQuotes: "quoted" | "bare";

  constructor({ bucket, prefix, etagQuotes }: ResolvedS3Settings) {
    this.bucket = bucket;
    this.#prefix = prefix;
    this.#etagQuotes = etagQuotes;
  }

  /** Without secrets, for people. */
  get url(): string {
    const folder = this.#prefix.split("/").slice(0, -1).map(encodeURIComponent);
    return `s3://${[this.bucket, ...folder].join("/")}`;
  }

  /** Our key in the bucket. The SDK escapes it where it goes into the URL. */
  keyInBucket(key: string): string {
    return this.#prefix + key;
  }

  /** @returns undefined for what is not below our folder, and for the folder itself */
  ourKey(keyInBucket: string): string | undefined {
    if (!keyInBucket.startsWith(this.#prefix) || keyInBucket.length === this.#prefix.length) return undefined;
    return keyInBucket.slice(this.#prefix.length);
  }

  /** For a header that names an object; the SDK does not escape it. */
  copySource(key: string): string {
    return `${this.bucket}/${this.renameSource(key)}`;
  }

  /** As {@link copySource}, where the bucket is understood. */
  renameSource(key: string): string {
    return this.keyInBucket(key).split("/").map(escaped).join("/");
  }

  /** A version as a condition has it. */
  condition(version: string): string {
    return this.#etagQuotes === "quoted" ? `"${version}"` : version;
  }
}

/** An ETag without its quotes. */
export function versionOf(etag: string): string {
  return /^(?:W\/)?"(.*)"$/s.exec(etag)?.[1] ?? etag;
}

/** Undoes `encoding-type=url` of a listing, where spaces are pluses. */
export function unescaped(text: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(text.replaceAll("+", "%20")) : text;
}

function escaped(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
