/** Keys of an identity, as settings have them. */
import { unknownNames } from "@varve/fs-core";
import type { S3CredentialsProvider } from "./s3-settings.ts";

/** As the AWS SDK's providers give them; the last two say nothing to a signature. */
const names: readonly string[] = [
  "accessKeyId",
  "secretAccessKey",
  "sessionToken",
  "expiration",
  "accountId",
  "$source",
];

/** A function in any case, so that nothing that shows it shows keys. Adds what is wrong to `problems`, without any value. */
export function resolveS3Credentials(value: unknown, problems: string[]): S3CredentialsProvider | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "function") return value as S3CredentialsProvider;
  const given = Object(value) as Record<string, unknown>;
  problems.push(...unknownNames(given, names, "credentials."));
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  const isText = (part: unknown): part is string => typeof part === "string" && part !== "";
  if (!isText(accessKeyId) || !isText(secretAccessKey) || !(sessionToken === undefined || isText(sessionToken))) {
    problems.push("credentials: want accessKeyId, secretAccessKey and perhaps sessionToken, or a function");
    return undefined;
  }
  if (!(expiration === undefined || expiration instanceof Date)) problems.push("credentials.expiration: want a Date");
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiration instanceof Date ? { expiration } : {}),
  };
  return async () => credentials;
}
