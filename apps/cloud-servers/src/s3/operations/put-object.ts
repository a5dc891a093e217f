import { checkWrite } from "../conditions.ts";
import { checksumHeaders, etagFor, store, writeConditions } from "../new-object.ts";
import type { Operation } from "../operation.ts";
import { readMetadata } from "../stored-object.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const putObject: Operation = {
  name: "PutObject",
  method: "PUT",
  on: "object",
  headers: ["if-match", "if-none-match", "x-amz-meta-*", "x-amz-storage-class"],
  body: "object",
  run(call) {
    const { bucket, key, body } = call;
    const metadata = readMetadata(call.headers);
    checkWrite(bucket.objects.get(key), writeConditions(call, "ignoreIfNoneMatchOnPut"));
    const { etag, checksum } = store(call, {
      key,
      bytes: body.bytes,
      data: body.data,
      etag: etagFor(call, `"${Buffer.from(body.md5).toString("hex")}"`),
      crc64: body.crc64,
      checksum: { algorithm: body.checksum.algorithm, type: "FULL_OBJECT", value: body.checksum.value },
      metadata,
    });
    return { status: 200, headers: { etag, ...checksumHeaders(checksum) } };
  },
};
