import { createHash } from "node:crypto";
import { crc64Nvme } from "@varve/fs-core";
import { readCopyRange } from "../byte-range.ts";
import { checkCopySize, copiedChecksum, copySourceHeaders, findSource } from "../copy-source.ts";
import { checksumElement } from "../body/checksum-algorithm.ts";
import { algorithmOf, partEtag, partNumberMax } from "../multipart-upload.ts";
import { type Operation, partNumberParameter, xmlReply } from "../operation.ts";
import { S3Error } from "../s3-error.ts";
import { xmlDate } from "../stored-object.ts";
import { s3Namespace, xmlDocument } from "../xml-writer.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export const uploadPartCopy: Operation = {
  name: "UploadPartCopy",
  method: "PUT",
  on: "object",
  marks: { partNumber: undefined, uploadId: undefined },
  headerMark: "x-amz-copy-source",
  headers: [...copySourceHeaders, "x-amz-copy-source-range"],
  body: "none",
  run(call) {
    const number = partNumberParameter(call, partNumberMax);
    const upload = call.bucket.upload(call.query.get("uploadId") ?? "", call.key);
    const { object } = findSource(call);
    const { start, end } = readCopyRange(call.header("x-amz-copy-source-range"), object.bytes);
    const bytes = end - start;
    checkCopySize(call, bytes);
    if (object.data === undefined && bytes !== object.bytes) {
      throw new S3Error("NotImplemented", { message: "Ranges of discarded bodies cannot be copied" });
    }
    const data = object.data?.subarray(start, end);
    const crc64 = data === undefined ? object.crc64 : crc64Nvme(data);
    const algorithm = algorithmOf(upload);
    const checksum = { algorithm, value: copiedChecksum(algorithm, data, crc64) };
    const md5 = createHash("md5")
      .update(data ?? object.etag)
      .digest();
    const part = { number, bytes, data, md5, crc64, checksum, lastModifiedMs: call.wallMs };
    upload.parts.set(number, part);
    const told = call.options.quirks.noChecksums ? undefined : checksum.value;
    return xmlReply(
      xmlDocument(
        "CopyPartResult",
        [
          ["LastModified", xmlDate(part.lastModifiedMs)],
          ["ETag", partEtag(part)],
          [checksumElement(algorithm), told],
        ],
        s3Namespace,
      ),
    );
  },
};
