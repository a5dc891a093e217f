import { checksumHeader, checksumOf } from "../body/checksum-algorithm.ts";
import { algorithmOf, type MultipartUpload, partEtag, partNumberMax, type UploadedPart } from "../multipart-upload.ts";
import { type Call, type Operation, partNumberParameter } from "../operation.ts";
import { S3Error } from "../s3-error.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export const uploadPart: Operation = {
  name: "UploadPart",
  method: "PUT",
  on: "object",
  marks: { partNumber: undefined, uploadId: undefined },
  body: "object",
  run(call) {
    const number = partNumberParameter(call, partNumberMax);
    const upload = call.bucket.upload(call.query.get("uploadId") ?? "", call.key);
    const checksum = checksumFor(call, upload);
    const { bytes, data, md5, crc64 } = call.body;
    const part = { number, bytes, data, md5, crc64, checksum, lastModifiedMs: call.wallMs };
    upload.parts.set(number, part);
    const told = call.options.quirks.noChecksums ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value };
    return { status: 200, headers: { etag: partEtag(part), ...told } };
  },
};

function checksumFor({ body }: Call, upload: MultipartUpload): UploadedPart["checksum"] {
  const algorithm = algorithmOf(upload);
  const { isChosen, ...sent } = body.checksum;
  const isOptional = upload.checksumType === "FULL_OBJECT" && !isChosen;
  if (!isOptional && (!isChosen || sent.algorithm !== algorithm)) {
    const expected = upload.declaredAlgorithm?.toLowerCase() ?? "null";
    const actual = isChosen ? sent.algorithm.toLowerCase() : "null";
    const message = `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`;
    throw new S3Error("InvalidRequest", { message });
  }
  if (sent.algorithm === algorithm) return sent;
  // Only a server that keeps bodies has such uploads.
  return { algorithm, value: checksumOf(algorithm, [body.data ?? new Uint8Array(0)]) };
}
