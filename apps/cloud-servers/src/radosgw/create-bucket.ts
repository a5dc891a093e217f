/** `PUT /bucket`, signed. */
import { type Clock, systemClock } from "@varve/fs-core";
import { canonicalRequest, sha256Hex, stringToSign } from "../s3/sigv4/canonical-request.ts";
import { scopeText, sign, signingKey } from "../s3/sigv4/signing-key.ts";
import type { S3Credentials } from "../s3/sigv4/verify.ts";

/** @throws Error with the server's words when it refuses */
export async function createBucket(
  url: string,
  bucket: string,
  { accessKeyId, secretAccessKey }: S3Credentials,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  const timestamp = new Date(clock.wallUs() / 1000).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = { date: timestamp.slice(0, 8), region: "us-east-1", service: "s3" };
  const payloadHash = sha256Hex("");
  const headers = { host: new URL(url).host, "x-amz-content-sha256": payloadHash, "x-amz-date": timestamp };
  const signedHeaders = Object.keys(headers).toSorted();
  const canonical = canonicalRequest({
    method: "PUT",
    pathBytes: `/${bucket}`,
    query: [],
    headers: Object.entries(headers),
    signedHeaders,
    payloadHash,
  });
  const signature = sign(signingKey(secretAccessKey, scope), stringToSign(timestamp, scopeText(scope), canonical));
  const credential = `${accessKeyId}/${scopeText(scope)}`;
  const response = await fetch(`${url}/${bucket}`, {
    method: "PUT",
    headers: {
      "x-amz-content-sha256": payloadHash,
      "x-amz-date": timestamp,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`,
    },
    signal,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the bucket ${bucket} was not created (${response.status}): ${text.slice(0, 500)}`);
}
