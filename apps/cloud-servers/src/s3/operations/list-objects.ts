import { crc64Nvme } from "@varve/fs-core";
import { byUtf8, encodeName, type ListedName, listPage, type NameOrder } from "../listing.ts";
import { type Call, countParameter, encodingParameter, type Operation, xmlReply } from "../operation.ts";
import { S3Error } from "../s3-error.ts";
import { xmlDate } from "../stored-object.ts";
import { s3Namespace, xmlDocument, type XmlElement } from "../xml-writer.ts";

const pageMax = 1000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const listObjectsV2: Operation = {
  name: "ListObjectsV2",
  method: "GET",
  on: "bucket",
  marks: { "list-type": "2" },
  parameters: ["continuation-token", "delimiter", "encoding-type", "fetch-owner", "max-keys", "prefix", "start-after"],
  body: "none",
  run(call) {
    const { bucket, query, options } = call;
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter") ?? "";
    const startAfter = query.get("start-after");
    const token = query.get("continuation-token");
    const max = countParameter(call, "max-keys", pageMax, pageMax);
    const encoding = encodingParameter(call);
    if (options.quirks.express) checkExpress(prefix, delimiter, startAfter);
    const continueAfter = token === undefined ? undefined : readToken(token);
    const page = listPage(
      bucket.objects.keys(),
      {
        prefix,
        delimiter,
        startAfter: startAfter === "" ? undefined : startAfter,
        continueAfter,
        max,
      },
      options.quirks.express ? scattered : byUtf8,
    );
    const named = (name: string): string => (encoding === undefined ? name : encodeName(name));
    const elements = page.entries.map((entry) => element(call, entry, named));
    return xmlReply(
      xmlDocument(
        "ListBucketResult",
        [
          ["Name", bucket.name],
          ["Prefix", named(prefix)],
          ["Delimiter", delimiter === "" ? undefined : named(delimiter)],
          ["StartAfter", startAfter === undefined ? undefined : named(startAfter)],
          ["ContinuationToken", token],
          ["NextContinuationToken", page.next === undefined ? undefined : writeToken(page.next)],
          ["KeyCount", page.entries.length],
          ["MaxKeys", max],
          ["EncodingType", encoding],
          ["IsTruncated", page.next !== undefined],
          ...elements,
        ],
        s3Namespace,
      ),
    );
  },
};

function element(call: Call, { name, isPrefix }: ListedName, named: (name: string) => string): XmlElement {
  if (isPrefix) return ["CommonPrefixes", [["Prefix", named(name)]]];
  const object = call.bucket.object(name);
  return [
    "Contents",
    [
      ["Key", named(name)],
      ["LastModified", xmlDate(object.lastModifiedMs)],
      ["ETag", object.etag],
      ["ChecksumAlgorithm", object.checksum?.algorithm],
      ["ChecksumType", object.checksum?.type],
      ["Size", object.bytes],
      ["StorageClass", call.options.quirks.express ? "EXPRESS_ONEZONE" : "STANDARD"],
    ],
  ];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html */
function checkExpress(prefix: string, delimiter: string, startAfter: string | undefined): void {
  if (startAfter !== undefined) {
    throw new S3Error("NotImplemented", { message: "start-after is not supported for directory buckets" });
  }
  if (prefix !== "" && !prefix.endsWith("/")) {
    throw new S3Error("InvalidRequest", {
      message: "This bucket does not support a prefix that does not end in a delimiter",
    });
  }
  if (delimiter !== "" && delimiter !== "/") {
    throw new S3Error("InvalidRequest", { message: 'This bucket only supports "/" as a delimiter' });
  }
}

/** An order that looks like none, yet is the same from page to page. */
const scattered: NameOrder = (a, b) => {
  const [hashA, hashB] = [crc64Nvme(Buffer.from(a)), crc64Nvme(Buffer.from(b))];
  if (hashA === hashB) return byUtf8(a, b);
  return hashA < hashB ? -1 : 1;
};

/** Opaque to clients: the last name, after a letter that makes a plain key no token. */
function writeToken(name: string): string {
  return Buffer.from(`V${name}`).toString("base64");
}

function readToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (!text.startsWith("V") || writeToken(text.slice(1)) !== token) {
    throw new S3Error("InvalidArgument", { message: "The continuation token provided is incorrect" });
  }
  return text.slice(1);
}
