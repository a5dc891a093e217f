import { checkDeletion } from "../conditions.ts";
import { checkKey } from "../key-rules.ts";
import { type Call, type Operation, xmlReply } from "../operation.ts";
import { messageOfCode, S3Error } from "../s3-error.ts";
import { childText, readXml, type XmlNode } from "../xml-reader.ts";
import { s3Namespace, xmlDocument, type XmlElement } from "../xml-writer.ts";

const objectsMax = 1000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export const deleteObjects: Operation = {
  name: "DeleteObjects",
  method: "POST",
  on: "bucket",
  marks: { delete: undefined },
  body: "document",
  run(call) {
    const isChecked = call.header("content-md5") !== undefined || call.body.checksum.isChosen;
    if (!isChecked && !call.options.quirks.noChecksums) {
      const message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
      throw new S3Error("InvalidRequest", { message });
    }
    const root = readXml(call.body.data ?? new Uint8Array(0));
    const targets = root.children.filter(({ name }) => name === "Object").map(readTarget);
    const isStrange = root.children.some(({ name }) => name !== "Object" && name !== "Quiet");
    if (root.name !== "Delete" || isStrange || targets.length === 0 || targets.length > objectsMax) {
      throw new S3Error("MalformedXML");
    }
    const isQuiet = childText(root, "Quiet")?.trim().toLowerCase() === "true";
    const results = targets.map((target) => deleteOne(call, target));
    const shown = results.filter(([name]) => !isQuiet || name === "Error");
    return xmlReply(xmlDocument("DeleteResult", shown, s3Namespace));
  },
};

interface Target {
  readonly key: string;
  readonly etag: string | undefined;
}

function readTarget(node: XmlNode): Target {
  const strange = node.children.find(({ name }) => name !== "Key" && name !== "ETag");
  if (strange !== undefined) throw new S3Error("NotImplemented", { details: { Element: strange.name } });
  const key = childText(node, "Key");
  if (key === undefined || key === "") throw new S3Error("MalformedXML");
  return { key, etag: childText(node, "ETag") };
}

function deleteOne(call: Call, { key, etag }: Target): XmlElement {
  const { failingKeys, bucket, options } = call;
  if (failingKeys !== undefined && key.includes(failingKeys.contains)) {
    return errorElement(key, failingKeys.code, messageOfCode(failingKeys.code));
  }
  try {
    checkKey(key);
    checkDeletion(bucket.objects.get(key), options.quirks.ignoreIfMatch ? undefined : etag);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return errorElement(key, error.code, error.message);
  }
  bucket.objects.delete(key);
  return ["Deleted", [["Key", key]]];
}

function errorElement(key: string, code: string, message: string): XmlElement {
  return [
    "Error",
    [
      ["Key", key],
      ["Code", code],
      ["Message", message],
    ],
  ];
}
