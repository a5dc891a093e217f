import { readRenameSource } from "../address.ts";
import { checkSource, checkWrite } from "../conditions.ts";
import { checkKey } from "../key-rules.ts";
import { writeConditions } from "../new-object.ts";
import type { Operation } from "../operation.ts";
import { S3Error } from "../s3-error.ts";

const prefix = "x-amz-rename-source";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html */
export const renameObject: Operation = {
  name: "RenameObject",
  method: "PUT",
  on: "object",
  marks: { renameObject: undefined },
  onlyExpress: true,
  headers: ["if-match", "if-none-match", prefix, `${prefix}-if-match`, `${prefix}-if-none-match`, "x-amz-client-token"],
  body: "none",
  run(call) {
    const { bucket, key } = call;
    const sourceKey = readRenameSource(call.header(prefix));
    checkKey(sourceKey);
    if (sourceKey.endsWith("/") || key.endsWith("/")) {
      throw new S3Error("InvalidRequest", { message: "Objects whose names end in the delimiter cannot be renamed" });
    }
    const token = call.header("x-amz-client-token");
    const rename = JSON.stringify([sourceKey, key]);
    if (token !== undefined && bucket.isRepeatedRename(token, rename)) return { status: 200, headers: {} };
    const source = bucket.object(sourceKey);
    const conditions = {
      ifMatch: call.header(`${prefix}-if-match`),
      ifNoneMatch: call.header(`${prefix}-if-none-match`),
    };
    checkSource(source, conditions, prefix);
    checkWrite(bucket.objects.get(key), writeConditions(call, undefined));
    bucket.objects.delete(sourceKey);
    // All else stays, the time of the last change too.
    bucket.put({ ...source, key });
    if (token !== undefined) bucket.rememberRename(token, rename);
    return { status: 200, headers: {} };
  },
};
