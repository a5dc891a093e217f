import { createHash } from "node:crypto";
import { algorithmNamed, type ChecksumAlgorithm } from "../body/checksum-algorithm.ts";
import { checkWrite } from "../conditions.ts";
import { checkCopySize, copiedChecksum, copySourceHeaders, findSource } from "../copy-source.ts";
import { checksumElements, etagFor, store, writeConditions } from "../new-object.ts";
import { type Call, type Operation, xmlReply } from "../operation.ts";
import { S3Error } from "../s3-error.ts";
import { readMetadata, type StoredObject, xmlDate } from "../stored-object.ts";
import { s3Namespace, xmlDocument } from "../xml-writer.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const copyObject: Operation = {
  name: "CopyObject",
  method: "PUT",
  on: "object",
  headerMark: "x-amz-copy-source",
  headers: [
    ...copySourceHeaders,
    "if-match",
    "if-none-match",
    "x-amz-checksum-algorithm",
    "x-amz-meta-*",
    "x-amz-metadata-directive",
    "x-amz-storage-class",
  ],
  body: "none",
  run(call) {
    const replaces = directive(call) === "REPLACE";
    const source = findSource(call);
    if (!replaces && source.bucket === call.bucket.name && source.object.key === call.key) {
      const message =
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
      throw new S3Error("InvalidRequest", { message });
    }
    checkCopySize(call, source.object.bytes);
    const metadata = replaces ? readMetadata(call.headers) : source.object.metadata;
    const algorithm = algorithmFor(call, source.object);
    const { bytes, data, crc64 } = source.object;
    const value = copiedChecksum(algorithm, data, crc64);
    checkWrite(call.bucket.objects.get(call.key), writeConditions(call, "ignoreIfNoneMatchOnCopy"));
    const copy = store(call, {
      key: call.key,
      bytes,
      data,
      etag: etagFor(call, wholeEtag(source.object)),
      crc64,
      // Of all bytes, also when the source's is one of its parts.
      checksum: { algorithm, type: "FULL_OBJECT", value },
      metadata,
    });
    return xmlReply(
      xmlDocument(
        "CopyObjectResult",
        [["LastModified", xmlDate(copy.lastModifiedMs)], ["ETag", copy.etag], ...checksumElements(copy.checksum)],
        s3Namespace,
      ),
    );
  },
};

function directive(call: Call): "COPY" | "REPLACE" {
  const value = call.header("x-amz-metadata-directive") ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw new S3Error("InvalidArgument", { message: "Unknown metadata directive.", details: { ArgumentValue: value } });
}

function algorithmFor(call: Call, source: StoredObject): ChecksumAlgorithm {
  const wanted = call.header("x-amz-checksum-algorithm");
  if (wanted === undefined)
    return source.data === undefined ? "CRC64NVME" : (source.checksum?.algorithm ?? "CRC64NVME");
  const algorithm = algorithmNamed(wanted);
  if (algorithm !== undefined) return algorithm;
  throw new S3Error("InvalidRequest", { message: "Checksum algorithm provided is unsupported." });
}

/** A copy is written in one piece, so its ETag is that of one; of discarded bytes it is at least another one. */
function wholeEtag({ data, etag }: StoredObject): string {
  return `"${createHash("md5")
    .update(data ?? etag)
    .digest("hex")}"`;
}
