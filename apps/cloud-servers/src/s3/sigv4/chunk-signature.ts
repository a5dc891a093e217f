/** Signatures of the pieces of a streamed body: each covers the one before, from that of the headers on. */
import { sha256Hex } from "./canonical-request.ts";
import { sameSignature, sign } from "./signing-key.ts";

/** What the request's own signature leaves for its body. */
export interface SignatureSeed {
  readonly signature: string;
  readonly timestamp: string;
  readonly scope: string;
  readonly key: Uint8Array;
}

const emptyHash = sha256Hex("");

/** Follows the chain of one body. */
export class ChunkSignatures {
  readonly #seed: SignatureSeed;
  #previous: string;

  constructor(seed: SignatureSeed) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  /** @param dataHash hex of the SHA-256 of the chunk's data */
  acceptsChunk(signature: string, dataHash: string): boolean {
    return this.#accepts(signature, "AWS4-HMAC-SHA256-PAYLOAD", `${emptyHash}\n${dataHash}`);
  }

  /** @param trailer the trailing headers but their signature, as `name:value\n` each */
  acceptsTrailer(signature: string, trailer: string): boolean {
    return this.#accepts(signature, "AWS4-HMAC-SHA256-TRAILER", sha256Hex(trailer));
  }

  #accepts(signature: string, algorithm: string, hashes: string): boolean {
    const { timestamp, scope, key } = this.#seed;
    const expected = sign(key, `${algorithm}\n${timestamp}\n${scope}\n${this.#previous}\n${hashes}`);
    this.#previous = expected;
    return sameSignature(signature, expected);
  }
}
