// Goal: what the emulator cannot show is sent as the vendor's reference has it: renames, sources of copies under each kind of
// credential, conditions of parts; and hierarchical namespaces show no folders.
// Method: the requests that reach a local server, compared field by field; its answers are in the service's form.
import { readFileSync } from "node:fs";
import { createObjectStore, type DriverInfo, type ObjectStoreDriver } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import { afterEach, expect, test } from "vitest";
import { type AzureSettings, createAzureDriver } from "../src/index.ts";
import {
  type Answering,
  type RecordedAnswer,
  type RecordedService,
  startRecordedService,
} from "./support/recorded-service.ts";

const lake = JSON.parse(readFileSync(new URL("responses/data-lake-service.json", import.meta.url), "utf8")) as Readonly<
  Record<string, RecordedAnswer>
>;
const created = lake["Created"] as RecordedAnswer;
const accountKey = Buffer.from("a key of this test").toString("base64");
const sasToken = "sv=2026-10-06&sp=rwdl&sig=a%2Fsignature%3D";
const call = { signal: new AbortController().signal };
const source: DriverInfo = {
  key: "a b/100%",
  size: 10,
  version: "0x8D1",
  lastModifiedMs: 0,
  metadata: {},
  contentType: "text/plain",
  checksum: undefined,
};
const copied = { metadata: { name: "value" }, contentType: "text/plain", checksum: undefined, ifSourceMatch: "0x8D1" };

let service: RecordedService | undefined;
let driver: ObjectStoreDriver | undefined;
afterEach(async () => {
  await driver?.close();
  await service?.stop();
});

/** What a rename is answered, after the look at its source. */
const renaming =
  (answer: () => RecordedAnswer | undefined): Answering =>
  ({ method }) =>
    method === "HEAD" ? { ...created, status: 200 } : answer();

type Access = Pick<AzureSettings, "accountKey" | "sasToken" | "credential">;

async function open(access: Access, answering: Answering, more: Partial<AzureSettings> = {}): Promise<RecordedService> {
  service = await startRecordedService(answering);
  const settings = { account: "lake1", container: "logs", prefix: "in", ...access, ...more };
  // 2026-11-26T02:00:00Z
  const clock = new ManualClock({ wallUs: 1_795_658_400_000_000 });
  driver = createAzureDriver(settings, { agent: service.agent, clock });
  return service;
}

function opened(): ObjectStoreDriver {
  if (driver === undefined) throw new Error("open it first");
  return driver;
}

test("a rename is one request to the Data Lake service, after a look at what is renamed", async () => {
  const { requests } = await open(
    { accountKey },
    renaming(() => created),
    { hierarchicalNamespace: true },
  );
  await opened().rename?.("a b/100%", "c/d+é", { ifAbsent: true }, call);
  expect(requests.map(({ method, url, body }) => [method, url.href, body.length])).toEqual([
    ["HEAD", "https://lake1.blob.core.windows.net/logs/in/a%20b/100%25", 0],
    ["PUT", "https://lake1.dfs.core.windows.net/logs/in/c/d%2B%C3%A9", 0],
  ]);
  expect(requests[1]?.headers).toMatchObject({
    "x-ms-rename-source": "/logs/in/a%20b/100%25",
    "if-none-match": "*",
    "content-length": "0",
    authorization: expect.stringMatching(/^SharedKey lake1:/),
  });
  expect(requests[1]?.headers).not.toHaveProperty("x-ms-blob-type");
});

test.each([
  ["a folder", { ...created, status: 200, headers: { ...created.headers, "x-ms-meta-hdi_isfolder": "true" } }],
  ["nothing", { ...created, status: 404, headers: { ...created.headers, "x-ms-error-code": "BlobNotFound" } }],
])("a rename of %s is not sent: it would move all that is in it", async (_, answer) => {
  const { requests } = await open({ accountKey }, () => answer, { hierarchicalNamespace: true });
  const rename = opened().rename?.("folder", "b", { ifAbsent: false }, call);
  await expect(rename).rejects.toMatchObject({ code: "NOT_FOUND", outcome: "none" });
  expect(requests.map(({ method }) => method)).toEqual(["HEAD"]);
});

test("a rename that may replace has no condition", async () => {
  const { requests } = await open(
    { accountKey },
    renaming(() => created),
    { hierarchicalNamespace: true },
  );
  await opened().rename?.("a", "b", { ifAbsent: false }, call);
  expect(requests[1]?.headers).not.toHaveProperty("if-none-match");
});

test("a rename under a shared access signature signs both names", async () => {
  const { requests } = await open(
    { sasToken },
    renaming(() => created),
    { hierarchicalNamespace: true },
  );
  await opened().rename?.("a", "b", { ifAbsent: true }, call);
  expect(requests[1]?.url.search).toBe(`?${sasToken}`);
  expect(requests[1]?.headers["x-ms-rename-source"]).toBe(`/logs/in/a?${sasToken}`);
});

test("a rename under a credential carries its token", async () => {
  const credential = { getToken: async () => ({ token: "token-1", expiresOnTimestamp: 4_000_000_000_000 }) };
  const { requests } = await open(
    { credential },
    renaming(() => created),
    { hierarchicalNamespace: true },
  );
  await opened().rename?.("a", "b", { ifAbsent: true }, call);
  expect(requests[1]?.headers["authorization"]).toBe("Bearer token-1");
});

test("the folder above a new name is made when it is missing, and the rename sent again", async () => {
  const script = [lake["RenameDestinationParentPathNotFound"], lake["PathAlreadyExists"], created];
  const { requests } = await open(
    { accountKey },
    renaming(() => script.shift()),
    { hierarchicalNamespace: true },
  );
  await opened().rename?.("a", "new/folder/b", { ifAbsent: false }, call);
  expect(requests.slice(1).map(({ url }) => url.pathname + url.search)).toEqual([
    "/logs/in/new/folder/b",
    "/logs/in/new/folder?resource=directory",
    "/logs/in/new/folder/b",
  ]);
  expect(requests[2]?.headers).toMatchObject({ "if-none-match": "*" });
  expect(requests[2]?.headers).not.toHaveProperty("x-ms-rename-source");
});

test.each([
  ["SourcePathNotFound", "NOT_FOUND"],
  ["FilesystemNotFound", "NOT_FOUND"],
  ["PathAlreadyExists", "ALREADY_EXISTS"],
  ["InvalidSourceOrDestinationResourceType", "KEY_CONFLICT"],
])("a rename refused with %s is %s", async (name, code) => {
  await open(
    { accountKey },
    renaming(() => lake[name]),
    { hierarchicalNamespace: true },
  );
  await expect(opened().rename?.("a", "b", { ifAbsent: true }, call)).rejects.toMatchObject({
    code,
    vendorCode: name,
    outcome: "none",
  });
});

test("without a hierarchical namespace nothing is renamed", async () => {
  const { requests } = await open({ accountKey }, () => created);
  await expect(opened().rename?.("a", "b", { ifAbsent: true }, call)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  expect(requests).toEqual([]);
});

test("a copy under the account's key gives the service a signature to read one blob for an hour", async () => {
  const { requests } = await open({ accountKey }, () => ({ ...created, status: 202 }));
  expect(await opened().copy(source, "to", { ...copied, ifAbsent: true }, call)).toEqual({
    version: "0x8DD2A0F6B7E0A2C",
  });
  const [request] = requests;
  expect([request?.method, request?.url.pathname]).toEqual(["PUT", "/logs/in/to"]);
  expect(request?.headers).toMatchObject({
    "x-ms-requires-sync": "true",
    "x-ms-source-if-match": '"0x8D1"',
    "if-none-match": "*",
    "x-ms-meta-name": "value",
  });
  const url = new URL(request?.headers["x-ms-copy-source"] as string);
  expect(url.origin + url.pathname).toBe("https://lake1.blob.core.windows.net/logs/in/a%20b/100%25");
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    sp: "r",
    sr: "b",
    spr: "https",
    st: "2026-11-26T01:45:00Z",
    se: "2026-11-26T03:00:00Z",
  });
});

test("a copy under a shared access signature passes it on", async () => {
  const { requests } = await open({ sasToken }, () => ({ ...created, status: 202 }));
  await opened().copy(source, "to", copied, call);
  expect(requests[0]?.headers["x-ms-copy-source"]).toBe(
    `https://lake1.blob.core.windows.net/logs/in/a%20b/100%25?${sasToken}`,
  );
});

test("a copy under a credential passes its token on", async () => {
  const scopes: unknown[] = [];
  const credential = {
    async getToken(scope: string | string[]) {
      scopes.push(scope);
      return { token: "token-1", expiresOnTimestamp: 4_000_000_000_000 };
    },
  };
  const { requests } = await open({ credential }, () => ({ ...created, status: 202 }));
  await opened().copy(source, "to", copied, call);
  expect(requests[0]?.headers).toMatchObject({
    authorization: "Bearer token-1",
    "x-ms-copy-source-authorization": "Bearer token-1",
    "x-ms-copy-source": "https://lake1.blob.core.windows.net/logs/in/a%20b/100%25",
  });
  expect(new Set(scopes.flat())).toEqual(new Set(["https://storage.azure.com/.default"]));
});

test("a copy that would change the content type is refused, because the request cannot say it", async () => {
  const { requests } = await open({ accountKey }, () => created);
  const other = { ...copied, contentType: "text/html" };
  await expect(opened().copy(source, "to", other, call)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  expect(requests).toEqual([]);
});

test("a copied part is of the version that was asked for", async () => {
  const { requests } = await open({ accountKey }, () => created);
  const part = await opened().uploadPartCopy?.(
    "to",
    "0".repeat(32),
    { number: 2, from: source, offset: 4, size: 3 },
    call,
  );
  const id = Buffer.from(`varve-${"0".repeat(32)}-000002`).toString("base64");
  expect(part).toEqual({ number: 2, size: 3, tag: id, checksum: undefined });
  expect(requests[0]?.url.searchParams.get("blockid")).toBe(id);
  expect(requests[0]?.headers).toMatchObject({
    "x-ms-source-range": "bytes=4-6",
    "x-ms-source-if-match": '"0x8D1"',
    "x-ms-copy-source": expect.stringMatching(
      /^https:\/\/lake1\.blob\.core\.windows\.net\/logs\/in\/a%20b\/100%25\?.*sig=/,
    ),
  });
});

test.each([
  ["CredentialUnavailableError", {}, "UNAUTHENTICATED", false],
  ["AuthenticationError", { statusCode: 401 }, "UNAUTHENTICATED", false],
  ["AuthenticationError", { statusCode: 503 }, "UNAVAILABLE", true],
  ["RestError", { code: "ECONNREFUSED" }, "UNAVAILABLE", true],
])("a credential that throws %s %j sends no request", async (name, fields, code, retryable) => {
  const credential = {
    getToken: async (): Promise<null> => {
      throw Object.assign(new Error("no token today"), { name, ...fields });
    },
  };
  const { requests } = await open({ credential }, () => created);
  await expect(opened().head("a", call)).rejects.toMatchObject({
    code,
    retryable,
    outcome: "none",
    cause: { message: "no token today" },
  });
  expect(requests).toEqual([]);
});

test("a credential that knows no token sends no request", async () => {
  const { requests } = await open({ credential: { getToken: async () => null } }, () => created);
  await expect(opened().head("a", call)).rejects.toMatchObject({ code: "UNAUTHENTICATED", outcome: "none" });
  expect(requests).toEqual([]);
});

test("folders of a hierarchical namespace are no objects", async () => {
  const folder = { ...created, status: 200, headers: { ...created.headers, "x-ms-meta-hdi_isfolder": "true" } };
  const { requests } = await open({ accountKey }, () => folder, { hierarchicalNamespace: true });
  expect(await opened().head("folder", call)).toBeUndefined();
  await expect(opened().get("folder", {}, call)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(requests.length).toBe(2);
});

test("a listing of a hierarchical namespace leaves folders out", async () => {
  const blob = (name: string, metadata: string): string =>
    `<Blob><Name>${name}</Name><Properties><Last-Modified>Thu, 26 Nov 2026 01:58:23 GMT</Last-Modified><Etag>0x8D1</Etag>` +
    `<Content-Length>3</Content-Length><BlobType>BlockBlob</BlobType></Properties><Metadata>${metadata}</Metadata></Blob>`;
  const body =
    `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://lake1.blob.core.windows.net/" ContainerName="logs">` +
    `<Blobs>${blob("in/a", "<hdi_isfolder>true</hdi_isfolder>")}${blob("in/a/b", "<name>value</name>")}</Blobs><NextMarker/></EnumerationResults>`;
  const answer = { status: 200, headers: { "content-type": "application/xml", "x-ms-request-id": "1" }, body };
  const { requests } = await open({ accountKey }, () => answer, { hierarchicalNamespace: true });
  const request = { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined };
  expect(await opened().listPage(request, call)).toEqual({
    objects: [{ key: "a/b", size: 3, version: "0x8D1", lastModifiedMs: 1_795_658_303_000 }],
    prefixes: [],
    nextPageToken: undefined,
  });
  expect(requests[0]?.url.searchParams.get("include")).toBe("metadata");
  expect(opened().capabilities).toMatchObject({ rename: true, nestedKeys: false, listStartAfter: false });
});

// A proxy on the way may pass an answer on in chunks, and with it the length is gone.
test.each(["head", "get", "get of the last bytes"] as const)(
  "an answer without a length is no empty object: %s",
  async (operation) => {
    const { "content-length": _length, ...headers } = created.headers;
    await open({ accountKey }, (_request, response) => {
      response.writeHead(200, { ...headers, "transfer-encoding": "chunked" });
      response.end("ten bytes.");
      return undefined;
    });
    const range = { suffixLength: 3 };
    const answer =
      operation === "head" ? opened().head("a", call) : opened().get("a", operation === "get" ? {} : { range }, call);
    await expect(answer).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "none" });
  },
);

test.each([
  ["nobody on the way heeded", { offset: 0, length: 3 }, undefined, "ten bytes."],
  ["nobody on the way heeded", { offset: 2 }, undefined, "ten bytes."],
  ["came with fewer bytes", { offset: 2 }, "bytes 2-4/10", "n b"],
])("a range that %s: %j", async (_, range, contentRange, body) => {
  const headers = { ...created.headers, "content-length": String(body.length) };
  await open({ accountKey }, () =>
    contentRange === undefined
      ? { status: 200, headers, body }
      : { status: 206, headers: { ...headers, "content-range": contentRange }, body },
  );
  await expect(createObjectStore(opened()).get("a", { range })).rejects.toMatchObject({ code: "IO" });
});

test("another version than was asked for, of a cache that ignores the condition", async () => {
  const headers = { ...created.headers, "content-length": "10" };
  await open({ accountKey }, () => ({ status: 200, headers, body: "ten bytes." }));
  const reading = createObjectStore(opened()).get("a", { ifMatch: "0x1" });
  await expect(reading).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
});
