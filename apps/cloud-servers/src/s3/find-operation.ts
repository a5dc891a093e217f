/** Which operation a request is, and whether the server understands all of it. Pure. */
import { checksumAlgorithms, checksumHeader } from "./body/checksum-algorithm.ts";
import type { Operation } from "./operation.ts";
import { abortMultipartUpload } from "./operations/abort-multipart-upload.ts";
import { getBucketLocation, headBucket } from "./operations/bucket-operations.ts";
import { completeMultipartUpload } from "./operations/complete-multipart-upload.ts";
import { copyObject } from "./operations/copy-object.ts";
import { createMultipartUpload } from "./operations/create-multipart-upload.ts";
import { deleteObject } from "./operations/delete-object.ts";
import { deleteObjects } from "./operations/delete-objects.ts";
import { getObject, headObject } from "./operations/get-object.ts";
import { listMultipartUploads } from "./operations/list-multipart-uploads.ts";
import { listObjectsV2 } from "./operations/list-objects.ts";
import { listParts } from "./operations/list-parts.ts";
import { putObject } from "./operations/put-object.ts";
import { renameObject } from "./operations/rename-object.ts";
import { uploadPart } from "./operations/upload-part.ts";
import { uploadPartCopy } from "./operations/upload-part-copy.ts";
import { S3Error } from "./s3-error.ts";

/** Those with more marks first: the first that fits is it. */
const operations: readonly Operation[] = [
  uploadPartCopy,
  uploadPart,
  renameObject,
  copyObject,
  putObject,
  listParts,
  getObject,
  headObject,
  abortMultipartUpload,
  deleteObject,
  createMultipartUpload,
  completeMultipartUpload,
  deleteObjects,
  listMultipartUploads,
  getBucketLocation,
  listObjectsV2,
  headBucket,
];

/** A request as far as its operation depends on it. */
export interface OperationRequest {
  readonly method: string;
  readonly on: "service" | "bucket" | "object";
  readonly query: ReadonlyMap<string, string>;
  /** Lower case names. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly isExpress: boolean;
}

/** @throws S3Error for what is no operation of this server */
export function findOperation(request: OperationRequest): Operation {
  const isMethodOfS3 = ["GET", "HEAD", "PUT", "POST", "DELETE"].includes(request.method);
  const found = operations.find((operation) => fits(operation, request));
  if (found !== undefined) return found;
  const names = [...request.query.keys()].filter((name) => !isOfEveryRequest(name));
  const hasNoMeaning = request.on === "object" && request.method === "POST" && names.length === 0;
  if (!isMethodOfS3 || hasNoMeaning) {
    throw new S3Error("MethodNotAllowed", {
      details: { Method: request.method, ResourceType: request.on.toUpperCase() },
    });
  }
  throw new S3Error("NotImplemented", {
    details: { Method: request.method, Resource: request.on, Query: names.join("&") },
  });
}

function fits(operation: Operation, { method, on, query, headers, isExpress }: OperationRequest): boolean {
  if (operation.method !== method || operation.on !== on) return false;
  if (operation.onlyExpress === true && !isExpress) return false;
  const { headerMark } = operation;
  if (headerMark !== undefined && !headers.some(([name]) => name === headerMark)) return false;
  return Object.entries(operation.marks ?? {}).every(([name, value]) => {
    const given = query.get(name);
    return given !== undefined && (value === undefined || value === given);
  });
}

/** The signature's own parameters, and the name that SDKs add for logs. */
function isOfEveryRequest(parameter: string): boolean {
  return parameter.startsWith("X-Amz-") || parameter === "x-id";
}

const headersOfEveryRequest = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent"];
const headersOfBodies = [
  "x-amz-decoded-content-length",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-trailer",
  ...checksumAlgorithms.map(checksumHeader),
];
/** Of HTTP, yet they change what a request means. */
const conditionHeaders = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"];

/**
 * A parameter or header that the operation does not have could mean anything: it is refused, never ignored.
 * @throws S3Error NotImplemented
 */
export function refuseStrangers(operation: Operation, { query, headers, isExpress }: OperationRequest): void {
  const parameters = [...Object.keys(operation.marks ?? {}), ...(operation.parameters ?? [])];
  for (const name of query.keys()) {
    if (!parameters.includes(name) && !isOfEveryRequest(name)) {
      throw new S3Error("NotImplemented", { details: { Parameter: name } });
    }
  }
  const known = [
    ...headersOfEveryRequest,
    ...(operation.body === "none" ? [] : headersOfBodies),
    ...(operation.headers ?? []),
  ];
  for (const [name, value] of headers) {
    const matters = name.startsWith("x-amz-") || conditionHeaders.includes(name);
    const isKnown = known.some((each) => (each.endsWith("*") ? name.startsWith(each.slice(0, -1)) : name === each));
    const isOtherClass = name === "x-amz-storage-class" && value !== (isExpress ? "EXPRESS_ONEZONE" : "STANDARD");
    if (matters && (!isKnown || isOtherClass)) throw new S3Error("NotImplemented", { details: { Header: name } });
  }
}
