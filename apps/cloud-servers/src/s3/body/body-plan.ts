/** What the headers say about a body: how it is coded, and everything it must agree with. Pure. */
import { S3Error } from "../s3-error.ts";
import type { VerifiedRequest } from "../sigv4/verify.ts";
import type { AwsChunkedForm } from "./aws-chunked.ts";
import { type ChecksumAlgorithm, checksumAlgorithms, checksumHeader, isChecksumValue } from "./checksum-algorithm.ts";

/** Everything that a body is held against. */
export interface BodyPlan {
  readonly verified: VerifiedRequest;
  /** Undefined for a body that is not coded. */
  readonly chunked: AwsChunkedForm | undefined;
  /** Bytes of the data; undefined where only its end tells. */
  readonly dataBytes: number | undefined;
  readonly sha256: string | undefined;
  /** Base64. */
  readonly contentMd5: string | undefined;
  /** `value` is missing when it follows in the trailer. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value?: string } | undefined;
}

/** What differs between operations and servers. */
export interface BodyRules {
  /** A body must announce its length. */
  readonly needsLength: boolean;
  /** `x-amz-checksum-*` are of this body, not of an object that the request is about. */
  readonly checksumsCoverBody: boolean;
  readonly ignoresChecksums: boolean;
  readonly refusesTrailers: boolean;
  readonly bytesMax: number;
}

const streaming: Readonly<Record<string, AwsChunkedForm>> = {
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { isSigned: false, hasTrailer: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { isSigned: true, hasTrailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { isSigned: true, hasTrailer: true },
};

type Header = (name: string) => string | undefined;

/** @throws S3Error */
export function planBody(header: Header, verified: VerifiedRequest, rules: BodyRules): BodyPlan {
  const { payloadHash } = verified;
  const chunked = Object.hasOwn(streaming, payloadHash) ? streaming[payloadHash] : undefined;
  const isLiteral = /^[0-9a-f]{64}$/.test(payloadHash);
  if (chunked === undefined && !isLiteral && payloadHash !== "UNSIGNED-PAYLOAD") {
    const message =
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING value that this server knows, or a valid sha256 value.";
    throw new S3Error("InvalidArgument", { message });
  }
  if (chunked?.hasTrailer === true && rules.refusesTrailers) throw new S3Error("MissingContentLength");
  const dataBytes = dataBytesOf(header, chunked, rules);
  if (dataBytes !== undefined && dataBytes > rules.bytesMax) {
    const details = { ProposedSize: String(dataBytes), MaxSizeAllowed: String(rules.bytesMax) };
    throw new S3Error("EntityTooLarge", { details });
  }
  return {
    verified,
    chunked,
    dataBytes,
    sha256: isLiteral ? payloadHash : undefined,
    contentMd5: rules.ignoresChecksums ? undefined : contentMd5Of(header),
    checksum: rules.ignoresChecksums || !rules.checksumsCoverBody ? undefined : checksumOf(header, chunked),
  };
}

function dataBytesOf(header: Header, chunked: AwsChunkedForm | undefined, rules: BodyRules): number | undefined {
  const length = header("content-length");
  if (chunked !== undefined) {
    const decoded = header("x-amz-decoded-content-length");
    if (decoded === undefined || !/^[0-9]{1,15}$/.test(decoded)) throw new S3Error("MissingContentLength");
    return Number(decoded);
  }
  if (length === undefined && header("transfer-encoding") !== undefined) {
    throw new S3Error("NotImplemented", { details: { Header: "Transfer-Encoding" } });
  }
  if (length === undefined && rules.needsLength) throw new S3Error("MissingContentLength");
  return Number(length ?? 0);
}

function contentMd5Of(header: Header): string | undefined {
  const value = header("content-md5");
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value, "base64");
  if (bytes.byteLength !== 16 || bytes.toString("base64") !== value) throw new S3Error("InvalidDigest");
  return value;
}

function checksumOf(header: Header, chunked: AwsChunkedForm | undefined): BodyPlan["checksum"] {
  const trailer = chunked?.hasTrailer === true ? trailerAlgorithm(header("x-amz-trailer")) : undefined;
  const stated = statedChecksums(header);
  const [first] = stated;
  if (stated.length > 1 || (first !== undefined && trailer !== undefined)) {
    const message = "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.";
    throw new S3Error("InvalidRequest", { message });
  }
  const algorithm = trailer ?? first?.algorithm;
  const announced = header("x-amz-sdk-checksum-algorithm");
  if (announced !== undefined && announced !== algorithm) {
    const message = `x-amz-sdk-checksum-algorithm is ${announced}, but no corresponding x-amz-checksum-* or x-amz-trailer header was found.`;
    throw new S3Error("InvalidRequest", { message });
  }
  return trailer === undefined ? first : { algorithm: trailer };
}

/** The `x-amz-checksum-*` headers that hold a value. @throws S3Error for one that cannot be a checksum */
export function statedChecksums(header: Header): { algorithm: ChecksumAlgorithm; value: string }[] {
  return checksumAlgorithms.flatMap((algorithm) => {
    const value = header(checksumHeader(algorithm));
    if (value === undefined) return [];
    if (!isChecksumValue(algorithm, value)) {
      throw new S3Error("InvalidRequest", { message: `Value for ${checksumHeader(algorithm)} header is invalid.` });
    }
    return [{ algorithm, value }];
  });
}

function trailerAlgorithm(names: string | undefined): ChecksumAlgorithm {
  const name = names?.trim().toLowerCase();
  const algorithm = checksumAlgorithms.find((each) => checksumHeader(each) === name);
  if (algorithm !== undefined) return algorithm;
  throw new S3Error("InvalidRequest", { message: "The value specified in the x-amz-trailer header is not supported" });
}
