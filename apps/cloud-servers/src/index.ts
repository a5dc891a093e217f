/**
 * Servers that speak the protocols of object stores as their vendors describe them, with faults on request.
 * @packageDocumentation
 */

// S3.
export { startS3Server, type S3Server } from "./s3/s3-server.ts";
export type { S3Limits, S3Quirks, S3ServerOptions } from "./s3/options.ts";
export type { S3Credentials } from "./s3/sigv4/verify.ts";
export type { RequestRecord } from "./s3/request-record.ts";
export type { ObjectMetadata, StoredObject } from "./s3/stored-object.ts";
export type { MultipartUpload, UploadedPart } from "./s3/multipart-upload.ts";
export type { Checksum, ChecksumAlgorithm, ChecksumType } from "./s3/body/checksum-algorithm.ts";

// Cloud Storage.
export { startGcsServer, type GcsServer, type GcsServerOptions } from "./gcs/gcs-server.ts";

// Faults.
export type { FaultAction, FaultKind, FaultMoment, FaultRule } from "./faults/fault-rule.ts";
export { FaultPlan, type ActiveFaultRule, type FaultTarget } from "./faults/fault-plan.ts";
