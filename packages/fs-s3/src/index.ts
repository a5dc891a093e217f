/**
 * Object stores on S3 and its relatives, behind the promises of `@varve/fs-core`.
 * @packageDocumentation
 */

// Settings.
export type {
  S3ChecksumMode,
  S3Credentials,
  S3CredentialsProvider,
  S3ServerSideEncryption,
  S3Settings,
} from "./s3-settings.ts";
