// Goal: every refusal and failure of the service and the network gets the code that tells the caller what to do, and an
// outcome that never says "nothing changed" of a request that may have been carried out.
// Method: answers in the service's form are given to the driver through the SDK; broken connections are real ones.
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { type DriverCall, isStoreError, type ObjectStoreDriver, type StoreError } from "@varve/fs-core";
import { afterEach, describe, expect, test } from "vitest";
import { createAzureDriver } from "../src/index.ts";
import {
  type Answering,
  type RecordedAnswer,
  type RecordedService,
  startRecordedService,
} from "./support/recorded-service.ts";

const answers = JSON.parse(readFileSync(new URL("responses/blob-service.json", import.meta.url), "utf8")) as Readonly<
  Record<string, RecordedAnswer>
>;
const accountKey = Buffer.from("a key of this test").toString("base64");
const request = { metadata: {}, contentType: "text/plain", checksum: undefined };
const info = {
  key: "a",
  size: 1,
  version: "0x1",
  lastModifiedMs: 0,
  metadata: {},
  contentType: "text/plain",
  checksum: undefined,
};

/** What is asked for; the answer is always the one of the row. */
const operations: Readonly<Record<string, (driver: ObjectStoreDriver, call: DriverCall) => Promise<unknown>>> = {
  head: (driver, call) => driver.head("a", call),
  get: (driver, call) => driver.get("a", {}, call),
  "get ifMatch": (driver, call) => driver.get("a", { ifMatch: "0x1" }, call),
  "get suffix": (driver, call) => driver.get("a", { range: { suffixLength: 1 } }, call),
  put: (driver, call) => driver.put("a", Uint8Array.of(1), request, call),
  "put ifAbsent": (driver, call) => driver.put("a", Uint8Array.of(1), { ...request, ifAbsent: true }, call),
  "put ifMatch": (driver, call) => driver.put("a", Uint8Array.of(1), { ...request, ifMatch: "0x1" }, call),
  part: (driver, call) =>
    driver.uploadPart(
      "a",
      "0".repeat(32),
      { number: 1, offset: 0, bytes: Uint8Array.of(1), checksum: 1n, isLast: true },
      call,
    ),
  complete: (driver, call) => driver.completeUpload("a", "0".repeat(32), [], { ...request, size: 0 }, call),
  copy: (driver, call) => driver.copy(info, "b", { ...request, ifSourceMatch: "0x1" }, call),
  delete: (driver, call) => driver.delete("a", {}, call),
  "delete ifMatch": (driver, call) => driver.delete("a", { ifMatch: "0x1" }, call),
  list: (driver, call) =>
    driver.listPage(
      { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined },
      call,
    ),
};

let service: RecordedService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function failureOf(operation: string, answering: Answering): Promise<StoreError> {
  service = await startRecordedService(answering);
  const driver = createAzureDriver({ account: "lake1", container: "logs", accountKey }, { agent: service.agent });
  try {
    await operations[operation]?.(driver, { signal: new AbortController().signal });
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return error;
  } finally {
    await driver.close();
  }
  throw new Error(`${operation} resolved`);
}

const retried = true;
const final = false;

describe("answers", () => {
  test.each<[operation: string, answer: string, code: string, outcome: string, retryable: boolean]>([
    ["get", "BlobNotFound", "NOT_FOUND", "none", final],
    ["head", "ContainerNotFound", "NOT_FOUND", "none", final],
    ["put", "ContainerNotFound", "NOT_FOUND", "none", final],
    ["delete", "ContainerNotFound", "NOT_FOUND", "none", final],
    ["delete ifMatch", "BlobNotFound", "NOT_FOUND", "none", final],
    ["put ifMatch", "BlobNotFound", "VERSION_MISMATCH", "none", final],
    ["put ifAbsent", "BlobAlreadyExists", "ALREADY_EXISTS", "none", final],
    ["put ifAbsent", "ConditionNotMet", "ALREADY_EXISTS", "none", final],
    ["put ifAbsent", "UnauthorizedBlobOverwrite", "ALREADY_EXISTS", "none", final],
    ["put", "UnauthorizedBlobOverwrite", "PERMISSION_DENIED", "none", final],
    ["put ifMatch", "ConditionNotMet", "VERSION_MISMATCH", "none", final],
    ["get ifMatch", "ConditionNotMet", "VERSION_MISMATCH", "none", final],
    ["delete ifMatch", "ConditionNotMet", "VERSION_MISMATCH", "none", final],
    // The condition was ours: the object was replaced between two requests.
    ["get suffix", "ConditionNotMet", "CONFLICT", "none", retried],
    ["copy", "SourceConditionNotMet", "VERSION_MISMATCH", "none", final],
    ["copy", "CannotVerifyCopySource404", "NOT_FOUND", "none", final],
    ["copy", "CannotVerifyCopySource403", "PERMISSION_DENIED", "none", final],
    ["get", "InvalidRange", "INVALID_RANGE", "none", final],
    ["complete", "InvalidBlockList", "CONFLICT", "none", retried],
    ["part", "InvalidBlobOrBlock", "CONFLICT", "none", final],
    ["put", "Md5Mismatch", "CORRUPT", "none", retried],
    ["part", "Crc64Mismatch", "CORRUPT", "none", retried],
    ["put", "LeaseIdMissing", "PERMISSION_DENIED", "none", final],
    ["delete", "SnapshotsPresent", "PERMISSION_DENIED", "none", final],
    ["put", "BlobImmutableDueToPolicy", "PERMISSION_DENIED", "none", final],
    ["get", "BlobArchived", "UNAVAILABLE", "none", final],
    ["put", "ContainerBeingDeleted", "UNAVAILABLE", "none", retried],
    ["put", "AuthenticationFailed", "UNAUTHENTICATED", "none", final],
    ["list", "InvalidAuthenticationInfo", "UNAUTHENTICATED", "none", final],
    ["list", "NoAuthenticationInformation", "UNAUTHENTICATED", "none", final],
    ["put", "AuthorizationPermissionMismatch", "PERMISSION_DENIED", "none", final],
    ["put", "AuthorizationFailure", "PERMISSION_DENIED", "none", final],
    ["put", "KeyBasedAuthenticationNotPermitted", "PERMISSION_DENIED", "none", final],
    ["put", "ServerBusy", "THROTTLED", "unknown", retried],
    ["get", "ServerBusy", "THROTTLED", "none", retried],
    ["put", "TooManyRequests", "THROTTLED", "none", retried],
    ["put", "OperationTimedOut", "UNAVAILABLE", "unknown", retried],
    ["head", "OperationTimedOut", "UNAVAILABLE", "none", retried],
    ["put", "InternalError", "UNAVAILABLE", "unknown", retried],
    ["put", "RequestBodyTooLarge", "TOO_LARGE", "none", final],
    ["put", "MetadataTooLarge", "TOO_LARGE", "none", final],
    ["part", "BlockCountExceedsLimit", "TOO_LARGE", "none", final],
    ["put", "ResourceTypeMismatch", "KEY_CONFLICT", "none", final],
    ["delete ifMatch", "DirectoryIsNotEmpty", "NOT_FOUND", "none", final],
    ["put", "InvalidUri", "INVALID_KEY", "none", final],
    ["put", "InvalidHeaderValue", "INVALID_ARGUMENT", "none", final],
    ["put", "UnknownConflict", "CONFLICT", "none", retried],
    ["put", "UnknownFailure", "UNAVAILABLE", "unknown", retried],
    // Not the service: it may have got the request all the same.
    ["put", "ProxyLogin", "UNAVAILABLE", "unknown", retried],
    ["put", "ProxyForbidden", "UNAVAILABLE", "unknown", retried],
    ["put", "ProxyBadGateway", "UNAVAILABLE", "unknown", retried],
    ["put", "Redirect", "UNAVAILABLE", "unknown", retried],
    ["list", "ProxyLogin", "UNAVAILABLE", "none", retried],
    ["head", "ProxyLogin", "UNAVAILABLE", "none", retried],
    ["get", "ProxyLogin", "UNAVAILABLE", "none", retried],
  ])("%s, answered with %s, is %s (%s, retryable %s)", async (operation, name, code, outcome, retryable) => {
    const answer = answers[name] as RecordedAnswer;
    const error = await failureOf(operation, () => answer);
    const vendorCode = answer.headers["x-ms-error-code"];
    expect(error).toMatchObject({ code, outcome, retryable });
    // One attempt: trying again is the store's affair.
    expect(service?.requests.length).toBe(1);
    if (vendorCode === undefined || error.message === "nothing is there") return;
    expect(error).toMatchObject({ vendorCode, status: answer.status, requestId: answer.headers["x-ms-request-id"] });
    if (vendorCode === "ContainerNotFound") expect(error.message).toContain('"logs"');
  });

  test("what is not there is undefined, and deleted already", async () => {
    const missing = answers["BlobNotFound"] as RecordedAnswer;
    service = await startRecordedService(() => missing);
    const driver = createAzureDriver({ account: "lake1", container: "logs", accountKey }, { agent: service.agent });
    const call = { signal: new AbortController().signal };
    expect(await driver.head("a", call)).toBeUndefined();
    expect(await driver.delete("a", {}, call)).toBeUndefined();
    await driver.close();
  });

  test("the service's wish to wait is passed on", async () => {
    const error = await failureOf("put", () => answers["ServerBusy"]);
    expect(error.retryAfterMs).toBe(3000);
  });
});

describe("connections", () => {
  test("one that breaks after the request leaves the outcome unknown", async () => {
    const error = await failureOf("put", (_request, response) => {
      response.socket?.destroy();
      return undefined;
    });
    expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown", retryable: true });
  });

  // ip(7): a message from a router on the way, or a changed route, gives these codes to a connection that was made.
  test.each(["EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED"])(
    "one that breaks with %s after the request leaves the outcome unknown",
    async (code) => {
      const sockets: Socket[] = [];
      const recorded = await startRecordedService(() => {
        const reason = Object.assign(new Error(`read ${code}`), { code, syscall: "read" });
        for (const socket of sockets) socket.destroy(reason);
        return undefined;
      });
      service = recorded;
      const { agent } = recorded;
      const connecting = agent.createConnection.bind(agent);
      agent.createConnection = (options, callback) => {
        const socket = connecting(options, callback) as Socket;
        sockets.push(socket);
        return socket;
      };
      const driver = createAzureDriver({ account: "lake1", container: "logs", accountKey }, { agent });
      const putting = driver.put("a", Uint8Array.of(1), request, { signal: new AbortController().signal });
      await expect(putting).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "unknown", retryable: true });
      expect(recorded.requests.length).toBe(1);
      await driver.close();
    },
  );

  test("one that breaks within an answer leaves the outcome unknown", async () => {
    const error = await failureOf("put", (_request, response) => {
      response.writeHead(500, { "content-length": "100", "x-ms-request-id": "1" }).write("<Error>");
      response.socket?.end();
      return undefined;
    });
    expect(error).toMatchObject({ outcome: "unknown", retryable: true });
  });

  test("one that never came about changed nothing", async () => {
    const unused = await startRecordedService(() => undefined);
    await unused.stop();
    const { agent } = unused;
    const driver = createAzureDriver({ account: "lake1", container: "logs", accountKey }, { agent });
    const putting = driver.put("a", Uint8Array.of(1), request, { signal: new AbortController().signal });
    await expect(putting).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "none", retryable: true });
    agent.destroy();
    await driver.close();
  });
});
