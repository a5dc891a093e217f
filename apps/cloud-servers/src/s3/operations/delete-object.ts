import { checkDeletion } from "../conditions.ts";
import type { Operation } from "../operation.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
export const deleteObject: Operation = {
  name: "DeleteObject",
  method: "DELETE",
  on: "object",
  headers: ["if-match"],
  body: "none",
  run({ bucket, key, options, header }) {
    checkDeletion(bucket.objects.get(key), options.quirks.ignoreIfMatch ? undefined : header("if-match"));
    bucket.objects.delete(key);
    return { status: 204, headers: {} };
  },
};
