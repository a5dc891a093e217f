import { createHash, type Hash } from "node:crypto";
import { Crc64 } from "@varve/fs-core";
import { S3Error } from "../s3-error.ts";
import { ChunkSignatures } from "../sigv4/chunk-signature.ts";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import type { BodyPlan } from "./body-plan.ts";
import {
  type ChecksumAlgorithm,
  checksumHeader,
  crc64Base64,
  isChecksumValue,
  type RunningDigest,
  startChecksum,
} from "./checksum-algorithm.ts";

/** A body that agrees with all that its request said. */
export interface ReceivedBody {
  readonly bytes: number;
  /** Undefined when only digests were kept. */
  readonly data: Uint8Array | undefined;
  readonly md5: Uint8Array;
  readonly crc64: bigint;
  /** By the algorithm that the client chose, else CRC64NVME; base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string; readonly isChosen: boolean };
}

/**
 * Reads a body to its end, also when it turns out to be wrong: the client can then read the answer.
 * @param keep whether to hold its bytes
 * @throws S3Error, or whatever the body throws
 */
export async function receiveBody(
  body: AsyncIterable<Uint8Array>,
  plan: BodyPlan,
  keep: boolean,
): Promise<ReceivedBody> {
  const receiver = new BodyReceiver(plan, keep);
  let failure: { readonly error: unknown } | undefined;
  for await (const bytes of body) {
    if (failure !== undefined) continue;
    try {
      receiver.push(bytes);
    } catch (error) {
      failure = { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  return receiver.end();
}

class BodyReceiver {
  readonly #plan: BodyPlan;
  readonly #decoder: AwsChunkedDecoder | undefined;
  readonly #pieces: Uint8Array[] | undefined;
  readonly #md5: Hash = createHash("md5");
  readonly #crc64: Crc64 = new Crc64();
  readonly #sha256: Hash | undefined;
  readonly #chosen: RunningDigest | undefined;
  #bytes = 0;

  constructor(plan: BodyPlan, keep: boolean) {
    this.#plan = plan;
    this.#pieces = keep ? [] : undefined;
    this.#sha256 = plan.sha256 === undefined ? undefined : createHash("sha256");
    const algorithm = plan.checksum?.algorithm;
    // The one that is computed anyway is not computed twice.
    this.#chosen = algorithm === undefined || algorithm === "CRC64NVME" ? undefined : startChecksum(algorithm);
    if (plan.chunked !== undefined) {
      const { seed } = plan.verified;
      const signatures = plan.chunked.isSigned && seed !== undefined ? new ChunkSignatures(seed) : undefined;
      this.#decoder = new AwsChunkedDecoder(plan.chunked, signatures, (data) => this.#take(data));
    }
  }

  push(bytes: Uint8Array): void {
    if (this.#decoder === undefined) this.#take(bytes);
    else this.#decoder.push(bytes);
  }

  end(): ReceivedBody {
    const trailer = this.#decoder?.end() ?? [];
    const { dataBytes, sha256, contentMd5 } = this.#plan;
    if (dataBytes !== undefined && this.#bytes !== dataBytes) throw new S3Error("IncompleteBody");
    const sha256Found = this.#sha256?.digest("hex");
    if (sha256Found !== sha256) {
      const details = { ClientComputedContentSHA256: sha256 ?? "", S3ComputedContentSHA256: sha256Found ?? "" };
      throw new S3Error("XAmzContentSHA256Mismatch", { details });
    }
    const md5 = this.#md5.digest();
    if (contentMd5 !== undefined && md5.toString("base64") !== contentMd5) {
      const details = { ExpectedDigest: contentMd5, CalculatedDigest: md5.toString("base64") };
      throw new S3Error("BadDigest", {
        message: "The Content-MD5 you specified did not match what we received.",
        details,
      });
    }
    const crc64 = this.#crc64.digest();
    const checksum = this.#checkChecksum(crc64, trailer);
    const data = this.#pieces === undefined ? undefined : Buffer.concat(this.#pieces);
    return { bytes: this.#bytes, data, md5, crc64, checksum };
  }

  #take(data: Uint8Array): void {
    this.#bytes += data.byteLength;
    const { dataBytes } = this.#plan;
    if (dataBytes !== undefined && this.#bytes > dataBytes) throw new S3Error("IncompleteBody");
    this.#md5.update(data);
    this.#crc64.update(data);
    this.#sha256?.update(data);
    this.#chosen?.update(data);
    this.#pieces?.push(data);
  }

  #checkChecksum(crc64: bigint, trailer: readonly (readonly [string, string])[]): ReceivedBody["checksum"] {
    const { checksum } = this.#plan;
    const found =
      this.#chosen === undefined ? crc64Base64(crc64) : Buffer.from(this.#chosen.digest()).toString("base64");
    if (checksum === undefined) return { algorithm: "CRC64NVME", value: found, isChosen: false };
    const { algorithm } = checksum;
    const value = checksum.value ?? fromTrailer(algorithm, trailer);
    if (value !== found) {
      throw new S3Error("BadDigest", {
        message: `The ${algorithm} you specified did not match the calculated checksum.`,
      });
    }
    return { algorithm, value, isChosen: true };
  }
}

function fromTrailer(algorithm: ChecksumAlgorithm, trailer: readonly (readonly [string, string])[]): string {
  const name = checksumHeader(algorithm);
  const [first, ...others] = trailer;
  if (first === undefined || others.length > 0 || first[0] !== name) throw new S3Error("MalformedTrailerError");
  if (!isChecksumValue(algorithm, first[1])) {
    throw new S3Error("InvalidRequest", { message: `Value for ${name} trailing header is invalid.` });
  }
  return first[1];
}
