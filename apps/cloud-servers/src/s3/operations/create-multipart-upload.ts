import { algorithmNamed, type ChecksumAlgorithm, type ChecksumType } from "../body/checksum-algorithm.ts";
import { type Call, type Operation, xmlReply } from "../operation.ts";
import { S3Error } from "../s3-error.ts";
import { readMetadata } from "../stored-object.ts";
import { s3Namespace, xmlDocument } from "../xml-writer.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export const createMultipartUpload: Operation = {
  name: "CreateMultipartUpload",
  method: "POST",
  on: "object",
  marks: { uploads: undefined },
  headers: ["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-meta-*", "x-amz-storage-class"],
  body: "none",
  run(call) {
    const { bucket, key } = call;
    const metadata = readMetadata(call.headers);
    const declaredAlgorithm = call.options.quirks.noChecksums ? undefined : readAlgorithm(call);
    const checksumType = declaredAlgorithm === undefined ? "FULL_OBJECT" : readType(call, declaredAlgorithm);
    const id = bucket.nextUploadId();
    const parts = new Map();
    bucket.uploads.set(id, { id, key, metadata, declaredAlgorithm, checksumType, initiatedMs: call.wallMs, parts });
    const headers =
      declaredAlgorithm === undefined
        ? {}
        : { "x-amz-checksum-algorithm": declaredAlgorithm, "x-amz-checksum-type": checksumType };
    const content = [
      ["Bucket", bucket.name],
      ["Key", key],
      ["UploadId", id],
    ] as const;
    return xmlReply(xmlDocument("InitiateMultipartUploadResult", content, s3Namespace), headers);
  },
};

function readAlgorithm(call: Call): ChecksumAlgorithm | undefined {
  const value = call.header("x-amz-checksum-algorithm");
  if (value === undefined) {
    if (call.header("x-amz-checksum-type") === undefined) return undefined;
    throw new S3Error("InvalidRequest", {
      message: "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    });
  }
  const algorithm = algorithmNamed(value);
  if (algorithm === undefined) {
    throw new S3Error("InvalidRequest", { message: "Checksum algorithm provided is unsupported." });
  }
  return algorithm;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html tells which go together. */
function readType(call: Call, algorithm: ChecksumAlgorithm): ChecksumType {
  const value = call.header("x-amz-checksum-type") ?? (algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
  if (value !== "FULL_OBJECT" && value !== "COMPOSITE") {
    throw new S3Error("InvalidRequest", { message: "Value for x-amz-checksum-type header is invalid." });
  }
  const isImpossible = value === "COMPOSITE" ? algorithm === "CRC64NVME" : algorithm.startsWith("SHA");
  if (isImpossible) {
    const message = `The ${value} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`;
    throw new S3Error("InvalidRequest", { message });
  }
  if (value === "FULL_OBJECT" && algorithm !== "CRC64NVME" && call.options.discardBodies) {
    throw new S3Error("NotImplemented", { message: `Discarded bodies have no ${algorithm} checksum` });
  }
  return value;
}
