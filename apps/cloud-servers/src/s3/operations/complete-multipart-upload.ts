import {
  algorithmNamed,
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumHeader,
} from "../body/checksum-algorithm.ts";
import { checkWrite } from "../conditions.ts";
import { assemble, chooseParts, type ListedPart, type MultipartUpload, partNumberMax } from "../multipart-upload.ts";
import { checksumElements, etagFor, store, writeConditions } from "../new-object.ts";
import { type Call, type Operation, xmlReply } from "../operation.ts";
import { S3Error } from "../s3-error.ts";
import { childText, readXml, type XmlNode } from "../xml-reader.ts";
import { s3Namespace, xmlDocument } from "../xml-writer.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export const completeMultipartUpload: Operation = {
  name: "CompleteMultipartUpload",
  method: "POST",
  on: "object",
  marks: { uploadId: undefined },
  headers: ["if-match", "if-none-match", "x-amz-checksum-type", "x-amz-mp-object-size"],
  body: "document",
  checksumsOfObject: true,
  run(call) {
    const { bucket, key, url } = call;
    const upload = bucket.upload(call.query.get("uploadId") ?? "", key);
    const listed = readParts(call.body.data ?? new Uint8Array(0), call.options.quirks.noChecksums);
    const chosen = chooseParts(upload, listed, call.options.limits.partBytesMin);
    const { checksum: whole, ...assembled } = assemble(upload, chosen);
    checkSize(call, assembled.bytes);
    if (!call.options.quirks.noChecksums) checkWhole(call, upload, whole);
    checkWrite(bucket.objects.get(key), writeConditions(call, "ignoreIfNoneMatchOnComplete"));
    const etag = etagFor(call, assembled.etag);
    const { checksum } = store(call, { key, ...assembled, etag, checksum: whole, metadata: upload.metadata });
    bucket.uploads.delete(upload.id);
    const path = key.split("/").map(encodeURIComponent).join("/");
    return xmlReply(
      xmlDocument(
        "CompleteMultipartUploadResult",
        [
          ["Location", `${url}/${bucket.name}/${path}`],
          ["Bucket", bucket.name],
          ["Key", key],
          ["ETag", etag],
          ...checksumElements(checksum),
        ],
        s3Namespace,
      ),
    );
  },
};

function readParts(bytes: Uint8Array, ignoresChecksums: boolean): ListedPart[] {
  const root = readXml(bytes);
  const isStrange = root.children.some(({ name }) => name !== "Part");
  if (root.name !== "CompleteMultipartUpload" || isStrange || root.children.length === 0) {
    throw new S3Error("MalformedXML");
  }
  return root.children.map((node) => readPart(node, ignoresChecksums));
}

function readPart(node: XmlNode, ignoresChecksums: boolean): ListedPart {
  const number = childText(node, "PartNumber")?.trim() ?? "";
  const etag = childText(node, "ETag");
  const checksums = new Map<ChecksumAlgorithm, string>();
  for (const { name, text } of node.children) {
    if (name === "PartNumber" || name === "ETag") continue;
    const algorithm = name.startsWith("Checksum") ? algorithmNamed(name.slice("Checksum".length)) : undefined;
    if (algorithm === undefined) throw new S3Error("MalformedXML");
    if (!ignoresChecksums) checksums.set(algorithm, text);
  }
  if (!/^[0-9]{1,6}$/.test(number) || etag === undefined) throw new S3Error("MalformedXML");
  if (Number(number) < 1 || Number(number) > partNumberMax) {
    const message = `PartNumber must be >= 1 and <= ${partNumberMax}`;
    throw new S3Error("InvalidArgument", { message, details: { ArgumentName: "partNumber" } });
  }
  return { number: Number(number), etag: etag.trim().replace(/^"|"$/g, ""), checksums };
}

function checkSize(call: Call, bytes: number): void {
  const stated = call.header("x-amz-mp-object-size");
  if (stated === undefined || stated === String(bytes)) return;
  throw new S3Error("InvalidRequest", {
    message: "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
  });
}

/** What the client says about the whole object must be so. */
function checkWhole(call: Call, upload: MultipartUpload, whole: Checksum): void {
  const type = call.header("x-amz-checksum-type");
  if (type !== undefined && type !== upload.checksumType) {
    const message = `The upload was created using the ${upload.checksumType} checksum type. The complete request must use the same checksum type.`;
    throw new S3Error("InvalidRequest", { message });
  }
  for (const algorithm of checksumAlgorithms) {
    const value = call.header(checksumHeader(algorithm));
    if (value === undefined) continue;
    if (algorithm !== whole.algorithm) {
      const message = `Checksum Type mismatch occurred, expected checksum Type: ${whole.algorithm.toLowerCase()}, actual checksum Type: ${algorithm.toLowerCase()}`;
      throw new S3Error("InvalidRequest", { message });
    }
    // A composite value may come without the number of parts.
    if (value !== whole.value && value !== whole.value.replace(/-\d+$/, "")) {
      const message = `The ${algorithm} you specified did not match the calculated checksum.`;
      throw new S3Error("BadDigest", { message });
    }
  }
}
