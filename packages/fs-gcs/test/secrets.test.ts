/**
 * Goal: no key, token or upload address shows in an error, in the driver or in the resolved settings.
 * Method: canaries in every place where a secret lives; a server that repeats what it was sent in each refusal; everything
 * that comes back is inspected to depth 12 and written as JSON.
 */
import { inspect } from "node:util";
import { crc64Nvme, type DriverInfo, type ObjectStoreDriver } from "@varve/fs-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";
import { type GcsSettings, resolveGcsSettings } from "../src/gcs-settings.ts";
import { call, digits, putOf } from "./support/driver-fixture.ts";
import { type Reply, type ScriptedServer, startScriptedServer } from "./support/scripted-server.ts";
import { createTestAccount } from "./support/service-account.ts";

const session = "canary-session-ABPtcPo_-";
const token = "canary-token-ya29.A0";

function shown(value: unknown): string {
  // `message`, `stack` and `cause` are not enumerable: JSON alone would not look at them.
  const fields = value instanceof Error ? Object.getOwnPropertyNames(value) : undefined;
  const inspected = inspect(value, { depth: 12, showHidden: true });
  return `${inspected}\n${JSON.stringify(value, fields)}\n${JSON.stringify(value)}\n${String(value)}`;
}

function expectNoSecret(value: unknown, secrets: readonly string[]): void {
  const text = shown(value);
  for (const secret of secrets) expect(text).not.toContain(secret);
}

/** Gives a token and an address, and refuses everything else in the words of the request. */
function repeating(failure: Partial<Reply>): Parameters<typeof startScriptedServer>[0] {
  return ({ path, query, headers }) => {
    if (path === "/token") return { json: { access_token: token, expires_in: 3600 } };
    if (query.get("uploadType") === "resumable" && !query.has("upload_id")) {
      const location = `http://${headers.host}${path}?uploadType=resumable&upload_id=${session}`;
      return { headers: { location, "x-guploader-uploadid": session } };
    }
    const message = `no: ${headers.authorization} ${String(query)} https://x/?${String(query)}`;
    return {
      headers: { "x-guploader-uploadid": session },
      json: { error: { code: failure.status, message, errors: [{ reason: "invalid", message }] } },
      ...failure,
    };
  };
}

async function open(
  failure: Partial<Reply>,
): Promise<{ driver: ObjectStoreDriver; server: ScriptedServer; secrets: string[] }> {
  const server = await startScriptedServer(repeating(failure));
  const { credentials, secrets } = createTestAccount(`${server.url}/token`);
  const driver = createGcsDriver({ bucket: "bucket", endpoint: server.url, credentials });
  onTestFinished(async () => {
    await driver.close();
    await server.close();
  });
  return { driver, server, secrets: [...secrets, session, token] };
}

const calls: Readonly<Record<string, (driver: ObjectStoreDriver) => Promise<unknown>>> = {
  head: (driver) => driver.head("a", call),
  get: (driver) => driver.get("a", {}, call),
  put: (driver) => driver.put("a", digits, putOf(), call),
  delete: (driver) => driver.delete("a", {}, call),
  copy: (driver) =>
    driver.copy({ key: "a", version: "7" } as DriverInfo, "b", { ...putOf(), ifSourceMatch: "7" }, call),
  listPage: (driver) =>
    driver.listPage(
      { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 1, pageToken: undefined },
      call,
    ),
  async uploadPart(driver) {
    const uploadId = await driver.beginUpload("a", putOf(), call);
    const part = {
      number: 1,
      offset: 0,
      bytes: new Uint8Array(262_144),
      checksum: crc64Nvme(new Uint8Array(262_144)),
      isLast: false,
    };
    return driver.uploadPart("a", uploadId, part, call);
  },
  async completeUpload(driver) {
    const uploadId = await driver.beginUpload("a", putOf(), call);
    return driver.completeUpload("a", uploadId, [], { ...putOf(), size: 0 }, call);
  },
  async abortUpload(driver) {
    await driver.abortUpload("a", await driver.beginUpload("a", putOf(), call), call);
  },
};

const failures: Readonly<Record<string, Partial<Reply>>> = {
  "a refusal": { status: 400 },
  "a wrong token": { status: 401 },
  "a failure": { status: 503 },
  "a broken connection": { fault: "reset" },
  "half an answer": { status: 400, fault: "cut" },
};

describe.for(Object.keys(failures))("errors of %s", (name) => {
  test.for(Object.keys(calls))("%s", async (operation) => {
    const { driver, secrets } = await open(failures[name] ?? {});
    const error: unknown = await calls[operation]?.(driver).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: "StoreError" });
    expectNoSecret(error, secrets);
  });
});

test("the driver, before and after it has a token and an upload", async () => {
  const { driver, secrets } = await open({ status: 400 });
  expectNoSecret(driver, secrets);
  await driver.beginUpload("a", putOf(), call);
  expectNoSecret(driver, secrets);
});

test.for<[string, Partial<GcsSettings>]>([
  ["a key", { credentials: createTestAccount("https://x/").credentials }],
  [
    "a client",
    { authClient: Object.assign({ getRequestHeaders: () => Promise.reject(new Error()) }, { key: "canary-key" }) },
  ],
])("resolved settings with %s", ([, settings]) => {
  const key = settings.credentials?.private_key.split("\n")[1] ?? "canary-key";
  // The test can find it where it is not hidden.
  expect(shown(settings)).toContain(key.slice(0, 20));
  expectNoSecret(resolveGcsSettings({ bucket: "bucket", ...settings }), [key, key.slice(0, 20)]);
});

test("a token endpoint that repeats the assertion", async () => {
  const server = await startScriptedServer(({ body }) => ({
    status: 400,
    json: { error: "invalid_grant", error_description: String(body) },
  }));
  const { credentials, secrets } = createTestAccount(`${server.url}/token`);
  const driver = createGcsDriver({ bucket: "bucket", endpoint: server.url, credentials });
  const error: unknown = await driver.head("a", call).catch((thrown: unknown) => thrown);
  const assertion = new URLSearchParams(String(server.received[0]?.body)).get("assertion") ?? "";
  expect(assertion).not.toBe("");
  expectNoSecret(error, [...secrets, assertion]);
  await driver.close();
  await server.close();
});
