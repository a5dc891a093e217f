import { byUtf8, encodeName } from "../listing.ts";
import { countParameter, encodingParameter, type Operation, xmlReply } from "../operation.ts";
import { xmlDate } from "../stored-object.ts";
import { s3Namespace, xmlDocument, type XmlElement } from "../xml-writer.ts";

const pageMax = 1000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads: Operation = {
  name: "ListMultipartUploads",
  method: "GET",
  on: "bucket",
  marks: { uploads: undefined },
  parameters: ["encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker"],
  body: "none",
  run(call) {
    const { bucket, query } = call;
    const prefix = query.get("prefix") ?? "";
    const keyMarker = query.get("key-marker") ?? "";
    // Without a key to belong to, an upload id means nothing.
    const idMarker = keyMarker === "" ? "" : (query.get("upload-id-marker") ?? "");
    const max = countParameter(call, "max-uploads", pageMax, pageMax);
    const encoding = encodingParameter(call);
    const named = (name: string): string => (encoding === undefined ? name : encodeName(name));
    const all = [...bucket.uploads.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .filter(({ key, id }) => {
        const order = byUtf8(key, keyMarker);
        return order > 0 || (order === 0 && idMarker !== "" && id > idMarker);
      })
      .sort((a, b) => byUtf8(a.key, b.key) || byUtf8(a.id, b.id));
    const page = all.slice(0, max);
    const isTruncated = max > 0 && all.length > max;
    const last = isTruncated ? page.at(-1) : undefined;
    const uploads = page.map(
      ({ key, id, initiatedMs, declaredAlgorithm, checksumType }): XmlElement => [
        "Upload",
        [
          ["Key", named(key)],
          ["UploadId", id],
          ["StorageClass", "STANDARD"],
          ["Initiated", xmlDate(initiatedMs)],
          ["ChecksumAlgorithm", declaredAlgorithm],
          ["ChecksumType", declaredAlgorithm === undefined ? undefined : checksumType],
        ],
      ],
    );
    return xmlReply(
      xmlDocument(
        "ListMultipartUploadsResult",
        [
          ["Bucket", bucket.name],
          ["KeyMarker", named(keyMarker)],
          ["UploadIdMarker", idMarker],
          ["NextKeyMarker", last === undefined ? undefined : named(last.key)],
          ["NextUploadIdMarker", last?.id],
          ["Prefix", named(prefix)],
          ["EncodingType", encoding],
          ["MaxUploads", max],
          ["IsTruncated", isTruncated],
          ...uploads,
        ],
        s3Namespace,
      ),
    );
  },
};
