import type { Operation } from "../operation.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export const abortMultipartUpload: Operation = {
  name: "AbortMultipartUpload",
  method: "DELETE",
  on: "object",
  marks: { uploadId: undefined },
  body: "none",
  run({ bucket, key, query }) {
    const { id } = bucket.upload(query.get("uploadId") ?? "", key);
    bucket.uploads.delete(id);
    return { status: 204, headers: {} };
  },
};
