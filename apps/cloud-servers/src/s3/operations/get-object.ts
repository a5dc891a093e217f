import { bodyBytesOf, type Reply } from "../../faults/reply.ts";
import { readRange } from "../byte-range.ts";
import { checkRead } from "../conditions.ts";
import { checksumHeaders } from "../new-object.ts";
import type { Call, Operation } from "../operation.ts";
import { S3Error } from "../s3-error.ts";
import { httpDate, metadataHeaders } from "../stored-object.ts";

const headers = ["if-match", "if-none-match", "range", "x-amz-checksum-mode"];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const getObject: Operation = {
  name: "GetObject",
  method: "GET",
  on: "object",
  headers,
  body: "none",
  run: read,
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject: Operation = {
  name: "HeadObject",
  method: "HEAD",
  on: "object",
  headers,
  body: "none",
  run(call) {
    const whole = read(call, true);
    const { body: _, ...head } = whole;
    return { ...head, announcedBytes: bodyBytesOf(whole) };
  },
};

function read(call: Call, isHead: boolean = false): Reply {
  const object = call.bucket.object(call.key);
  const { etag, data, bytes } = object;
  const validators = { etag, "last-modified": httpDate(object.lastModifiedMs) };
  const conditions = { ifMatch: call.header("if-match"), ifNoneMatch: call.header("if-none-match") };
  if (checkRead(object, conditions) === "notModified") return { status: 304, headers: validators };
  const range = readRange(call.header("range"), bytes);
  if (data === undefined && bytes > 0 && !isHead) {
    throw new S3Error("NotImplemented", { message: "This server was started to discard bodies; it has none to read" });
  }
  const { start, end } = range ?? { start: 0, end: bytes };
  // A checksum of all bytes would be a wrong one of some.
  const isWhole = end - start === bytes;
  const wantsChecksum = isWhole && checksumMode(call) === "ENABLED";
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...metadataHeaders(object.metadata),
      ...validators,
      "accept-ranges": "bytes",
      ...(range !== undefined && { "content-range": `bytes ${start}-${end - 1}/${bytes}` }),
      ...(wantsChecksum && checksumHeaders(object.checksum)),
    },
    ...(data === undefined ? { announcedBytes: end - start } : { body: data.subarray(start, end) }),
  };
}

function checksumMode(call: Call): string | undefined {
  const mode = call.header("x-amz-checksum-mode");
  if (mode === undefined || mode.toUpperCase() === "ENABLED") return mode?.toUpperCase();
  throw new S3Error("InvalidArgument", { message: "The value of x-amz-checksum-mode is not valid" });
}
