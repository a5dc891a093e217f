import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc64 } from "@varve/fs-core";
import { crc32c } from "./crc32c.ts";

/** The algorithms of `x-amz-checksum-*`, as they are called in values and, in lower case, in header names. */
export const checksumAlgorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
/** One of {@link checksumAlgorithms}. */
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];
/** Whether a checksum is of an object's bytes, or of the checksums of its parts. */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** A checksum as S3 shows it: base64, big-endian, with `-N` behind that of N parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

/** A digest that grows. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Big-endian bytes. At most once. */
  digest(): Uint8Array;
}

/** Such as `x-amz-checksum-crc32c`. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The name of the element in XML documents, such as `ChecksumCRC32C`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** What is not one of them is undefined. */
export function algorithmNamed(name: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm === name);
}

/** Bytes of a digest. */
export const checksumBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** Starts a digest. */
export function startChecksum(algorithm: ChecksumAlgorithm): RunningDigest {
  switch (algorithm) {
    case "CRC32":
      return new Crc32Digest(crc32);
    case "CRC32C":
      return new Crc32Digest(crc32c);
    case "CRC64NVME":
      return new Crc64Digest();
    case "SHA1":
      return createHash("sha1");
    case "SHA256":
      return createHash("sha256");
  }
}

/** Base64 of the digest of `pieces`, one behind the other. */
export function checksumOf(algorithm: ChecksumAlgorithm, pieces: readonly Uint8Array[]): string {
  const running = startChecksum(algorithm);
  for (const piece of pieces) running.update(piece);
  return base64(running.digest());
}

/** Whether `value` is base64 of as many bytes as the algorithm gives. */
export function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const bytes = Buffer.from(value, "base64");
  return bytes.byteLength === checksumBytes[algorithm] && base64(bytes) === value;
}

/** CRC-64/NVME on the wire. */
export function crc64Base64(crc: bigint): string {
  return base64(bigEndian64(crc));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function bigEndian64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

class Crc32Digest implements RunningDigest {
  readonly #continue: (bytes: Uint8Array, seed: number) => number;
  #value = 0;

  constructor(continueOver: (bytes: Uint8Array, seed: number) => number) {
    this.#continue = continueOver;
  }

  update(bytes: Uint8Array): void {
    this.#value = this.#continue(bytes, this.#value);
  }

  digest(): Uint8Array {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#value);
    return bytes;
  }
}

class Crc64Digest implements RunningDigest {
  readonly #crc: Crc64 = new Crc64();

  update(bytes: Uint8Array): void {
    this.#crc.update(bytes);
  }

  digest(): Uint8Array {
    return bigEndian64(this.#crc.digest());
  }
}
