/**
 * Object stores on S3 and its relatives, behind the promises of `@varve/fs-core`. Start at {@link createS3Driver}.
 * @packageDocumentation
 */

// Start here.
export { createS3Driver, type S3DriverParts } from "./s3-driver.ts";
export type { S3Conditions } from "./s3-conditions.ts";
export type {
  S3ChecksumMode,
  S3Credentials,
  S3CredentialsProvider,
  S3ServerSideEncryption,
  S3Settings,
} from "./s3-settings.ts";

// Plug in here: for the registry of stores.
export { storeBackend } from "./backend.ts";
