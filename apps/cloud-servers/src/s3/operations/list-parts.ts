import { checksumElement } from "../body/checksum-algorithm.ts";
import { encodeName } from "../listing.ts";
import { algorithmOf, partEtag } from "../multipart-upload.ts";
import { countParameter, encodingParameter, type Operation, xmlReply } from "../operation.ts";
import { xmlDate } from "../stored-object.ts";
import { s3Namespace, xmlDocument, type XmlElement } from "../xml-writer.ts";

const pageMax = 1000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts: Operation = {
  name: "ListParts",
  method: "GET",
  on: "object",
  marks: { uploadId: undefined },
  parameters: ["encoding-type", "max-parts", "part-number-marker"],
  body: "none",
  run(call) {
    const upload = call.bucket.upload(call.query.get("uploadId") ?? "", call.key);
    const max = countParameter(call, "max-parts", pageMax, pageMax);
    const marker = countParameter(call, "part-number-marker", 2 ** 31, 0);
    const encoding = encodingParameter(call);
    const all = [...upload.parts.values()].filter(({ number }) => number > marker).sort((a, b) => a.number - b.number);
    const page = all.slice(0, max);
    const isTruncated = max > 0 && all.length > max;
    const isDeclared = upload.declaredAlgorithm !== undefined;
    const parts = page.map(
      (part): XmlElement => [
        "Part",
        [
          ["PartNumber", part.number],
          ["LastModified", xmlDate(part.lastModifiedMs)],
          ["ETag", partEtag(part)],
          ["Size", part.bytes],
          [checksumElement(algorithmOf(upload)), isDeclared ? part.checksum.value : undefined],
        ],
      ],
    );
    return xmlReply(
      xmlDocument(
        "ListPartsResult",
        [
          ["Bucket", call.bucket.name],
          ["EncodingType", encoding],
          ["Key", encoding === undefined ? call.key : encodeName(call.key)],
          ["UploadId", upload.id],
          ["PartNumberMarker", marker],
          ["NextPartNumberMarker", page.at(-1)?.number ?? 0],
          ["MaxParts", max],
          ["IsTruncated", isTruncated],
          ["StorageClass", "STANDARD"],
          ["ChecksumAlgorithm", upload.declaredAlgorithm],
          ["ChecksumType", isDeclared ? upload.checksumType : undefined],
          ...parts,
        ],
        s3Namespace,
      ),
    );
  },
};
