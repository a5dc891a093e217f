/**
 * How vendors bill requests, as data. They agree on three classes under different names:
 *
 * | class | Amazon S3 | Google Cloud Storage | Azure Blob Storage |
 * |---|---|---|---|
 * | `a` | PUT, COPY, POST, LIST | class A operations | write, list |
 * | `b` | GET, HEAD and all others | class B operations | read, other |
 * | `free` | DELETE, CANCEL | free operations | delete |
 */
import type { DriverOperation } from "./driver-request.ts";

/** `a` changes or lists, `b` reads, `free` deletes. */
export type PriceClass = "a" | "b" | "free";

/** What a request is for, whichever way it goes about it. */
export type RequestKind = "put" | "get" | "list" | "delete" | "copy";

/** How one operation is counted. */
export interface OperationClass {
  readonly kind: RequestKind;
  readonly priceClass: PriceClass;
}

/**
 * Of every operation. Sources: https://aws.amazon.com/s3/pricing/ (requests), https://cloud.google.com/storage/pricing
 * (operations), https://learn.microsoft.com/azure/storage/blobs/map-rest-apis-transaction-categories. Each part of an
 * upload is a request of class `a`, as are its begin and its completion. Accounts of Azure that have a hierarchical
 * namespace bill large reads and writes by the 4 MB: more than one request here.
 */
export const operationClasses: Readonly<Record<DriverOperation, OperationClass>> = {
  head: { kind: "get", priceClass: "b" },
  get: { kind: "get", priceClass: "b" },
  put: { kind: "put", priceClass: "a" },
  beginUpload: { kind: "put", priceClass: "a" },
  uploadPart: { kind: "put", priceClass: "a" },
  uploadPartCopy: { kind: "copy", priceClass: "a" },
  completeUpload: { kind: "put", priceClass: "a" },
  abortUpload: { kind: "delete", priceClass: "free" },
  copy: { kind: "copy", priceClass: "a" },
  rename: { kind: "copy", priceClass: "a" },
  delete: { kind: "delete", priceClass: "free" },
  deleteMany: { kind: "delete", priceClass: "free" },
  list: { kind: "list", priceClass: "a" },
  listUploads: { kind: "list", priceClass: "a" },
};

/** US dollars for 1000 requests of a class. */
export interface RequestPrices {
  readonly a: number;
  readonly b: number;
}

/**
 * List prices by the scheme of a store's URL (`s3-express` for S3's directory buckets), for each vendor's standard class and without taxes,
 * discounts, storage, retrieval and traffic. Noted in November 2026: S3 Standard in us-east-1; Cloud Storage Standard in a
 * single region with a flat namespace; Azure Blob Storage, hot, locally redundant, East US, flat namespace (USD 0.05 and
 * 0.004 for 10 000). Prices change and differ by region: give your own where it matters.
 */
export const listPrices: Readonly<Record<string, RequestPrices>> = {
  s3: { a: 0.005, b: 0.0004 },
  /** Directory buckets, https://aws.amazon.com/s3/faqs/ (One Zone); the price of each GB that goes in or out comes on top. */
  "s3-express": { a: 0.001_13, b: 0.000_03 },
  gs: { a: 0.005, b: 0.0004 },
  az: { a: 0.005, b: 0.0004 },
  file: { a: 0, b: 0 },
  memory: { a: 0, b: 0 },
};

/** @returns undefined for a scheme that has no list price here */
export function listPricesOf(url: string): RequestPrices | undefined {
  const isExpress = /^s3:\/\/[^/]*--x-s3(?:\/|$)/.test(url);
  const scheme = isExpress ? "s3-express" : url.slice(0, Math.max(0, url.indexOf("://")));
  return Object.hasOwn(listPrices, scheme) ? listPrices[scheme] : undefined;
}
