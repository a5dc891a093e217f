/** One request of each kind, by name, for tables of answers. */
import type { DriverCall, DriverPut, ObjectStoreDriver } from "@varve/fs-core";
import { createS3Driver, type S3Settings } from "../src/index.ts";

/** They must not be seen anywhere. */
export const canaryCredentials = {
  accessKeyId: "CANARYID",
  secretAccessKey: "CANARY-secret",
  sessionToken: "CANARY-token",
} as const;

export function driverAt(endpoint: string, settings: Partial<S3Settings> = {}): ObjectStoreDriver {
  return createS3Driver({
    bucket: "logs",
    endpoint,
    region: "us-east-1",
    checksumMode: "store",
    credentials: canaryCredentials,
    ...settings,
  });
}

export function call(signal: AbortSignal = new AbortController().signal): DriverCall {
  return { signal };
}

export const plainPut: DriverPut = { metadata: {}, contentType: "text/plain", checksum: undefined };
export const info = {
  key: "from",
  size: 10,
  version: "v1",
  lastModifiedMs: 0,
  metadata: {},
  contentType: "text/plain",
  checksum: undefined,
} as const;

const bytes = Buffer.from("0123456789");
const parts = [{ number: 1, size: 10, tag: '"p1"', checksum: undefined }];
const complete = { ...plainPut, size: 10 };

/** Each sends one request about the key `k`. */
export const requestsByName: Readonly<
  Record<string, (driver: ObjectStoreDriver, call: DriverCall) => Promise<unknown>>
> = {
  head: (driver, c) => driver.head("k", c),
  get: (driver, c) => driver.get("k", {}, c),
  getIfMatch: (driver, c) => driver.get("k", { ifMatch: "v1" }, c),
  getRange: (driver, c) => driver.get("k", { range: { offset: 2, length: 3 } }, c),
  put: (driver, c) => driver.put("k", bytes, plainPut, c),
  putIfAbsent: (driver, c) => driver.put("k", bytes, { ...plainPut, ifAbsent: true }, c),
  putIfMatch: (driver, c) => driver.put("k", bytes, { ...plainPut, ifMatch: "v1" }, c),
  uploadPart: (driver, c) =>
    driver.uploadPart("k", "u", { number: 1, offset: 0, bytes, checksum: 0n, isLast: true }, c),
  complete: (driver, c) => driver.completeUpload("k", "u", parts, complete, c),
  completeIfAbsent: (driver, c) => driver.completeUpload("k", "u", parts, { ...complete, ifAbsent: true }, c),
  copy: (driver, c) => driver.copy(info, "k", { ...plainPut, ifSourceMatch: "v1" }, c),
  copyIfAbsent: (driver, c) => driver.copy(info, "k", { ...plainPut, ifSourceMatch: "v1", ifAbsent: true }, c),
  delete: (driver, c) => driver.delete("k", {}, c),
  deleteIfMatch: (driver, c) => driver.delete("k", { ifMatch: "v1" }, c),
  list: (driver, c) =>
    driver.listPage({ prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined }, c),
};
