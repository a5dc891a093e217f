import { S3Error } from "./s3-error.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const keyBytesMax = 1024;

/** @throws S3Error KeyTooLongError */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > keyBytesMax) {
    throw new S3Error("KeyTooLongError", { details: { Size: String(bytes), MaxSizeAllowed: String(keyBytesMax) } });
  }
}
