/**
 * Goal: settings are checked whole, with a hint and without repeating what may be secret.
 * Method: tables of refused and accepted settings.
 */
import { isStoreError, parseStoreUrl, systemClock, systemRandom } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { storeBackend } from "../src/backend.ts";
import { resolveGcsSettings } from "../src/gcs-settings.ts";
import { createTestAccount } from "./support/service-account.ts";

const account = createTestAccount("https://oauth2.googleapis.com/token");
const { credentials } = account;
const authClient = { getRequestHeaders: () => Promise.resolve(new Headers()) };

function refusalOf(settings: unknown): string {
  try {
    resolveGcsSettings(settings);
  } catch (error) {
    if (isStoreError(error) && error.code === "INVALID_ARGUMENT") return error.message;
    throw error;
  }
  return "";
}

describe("refused", () => {
  test.for([
    [undefined, "bucket: want"],
    ["bucket", "bucket: want"],
    [{ bucket: "Upper" }, "bucket: want"],
    [{ bucket: "a/b" }, "bucket: want"],
    [{ bucket: "bucket", bukcet: 1 }, "did you mean bucket?"],
    [{ bucket: "bucket", endPoint: "x" }, "did you mean endpoint?"],
    [{ bucket: "bucket", keyFile: "x" }, "did you mean keyFilename?"],
    [{ bucket: "bucket", retryOptions: {} }, "known are bucket, prefix"],
    [{ bucket: "bucket", prefix: "/a" }, "prefix: want"],
    [{ bucket: "bucket", prefix: "a/" }, "prefix: want"],
    [{ bucket: "bucket", prefix: "a/../b" }, "prefix: want"],
    [{ bucket: "bucket", prefix: "a\nb" }, "prefix: want"],
    [{ bucket: "bucket", prefix: "x".repeat(513) }, "prefix: want"],
    [{ bucket: "bucket", endpoint: "storage.googleapis.com" }, "endpoint: want"],
    [{ bucket: "bucket", endpoint: "ftp://x" }, "endpoint: want"],
    [{ bucket: "bucket", endpoint: "https://u:canary@x" }, "endpoint: want"],
    [{ bucket: "bucket", endpoint: "https://x/?a=canary" }, "endpoint: want"],
    [{ bucket: "bucket", endpoint: "http://example.com", credentials }, "endpoint: credentials go to https only"],
    [{ bucket: "bucket", endpoint: "http://example.com", authClient }, "endpoint: credentials go to https only"],
    [{ bucket: "bucket", projectId: "UPPER" }, "projectId: want"],
    [{ bucket: "bucket", projectId: "project", credentials }, "projectId: of use to"],
    [{ bucket: "bucket", projectId: "project", endpoint: "https://x" }, "projectId: of use to"],
    [{ bucket: "bucket", userProject: 5 }, "userProject: want"],
    [{ bucket: "bucket", keyFilename: "" }, "keyFilename: want a path"],
    [{ bucket: "bucket", authClient: {} }, "authClient: want an object"],
    [{ bucket: "bucket", keyFilename: "x", authClient }, "give one of them"],
    [{ bucket: "bucket", credentials: "canary" }, "credentials: want"],
    [{ bucket: "bucket", credentials: {} }, "credentials.client_email: want text; credentials.private_key: want text"],
    [{ bucket: "bucket", credentials: { ...credentials, private_key: "canary" } }, "private_key: not an RSA key"],
    [{ bucket: "bucket", credentials: { ...credentials, private_kye: "canary" } }, "did you mean private_key?"],
    [{ bucket: "bucket", credentials: { ...credentials, token_uri: "http://x/canary" } }, "token_uri: want an https"],
    [{ bucket: "bucket", credentials: { ...credentials, type: "authorized_user" } }, "credentials.type: want"],
    [{ bucket: "bucket", credentials: { ...credentials, universe_domain: "x.example" } }, "universe_domain: only"],
    [{ bucket: "bucket", ["canary-secret ".repeat(9)]: 1 }, "a name: not known"],
  ])("case %#", ([settings, wanted]) => {
    const message = refusalOf(settings);
    expect(message).toContain(wanted);
    expect(message).not.toContain("canary");
    for (const line of account.secrets) expect(message).not.toContain(line);
  });

  test("every problem at once", () => {
    const message = refusalOf({ bucket: "", prefix: "/", endpoint: "x", nothing: 1 });
    expect(message.split("; ")).toHaveLength(5);
  });
});

describe("accepted", () => {
  test("defaults", () => {
    expect(resolveGcsSettings({ bucket: "bucket" })).toEqual({
      bucket: "bucket",
      prefix: "",
      endpoint: "https://storage.googleapis.com",
      identity: { kind: "default", projectId: undefined },
      userProject: undefined,
    });
  });

  test.for([
    [{ endpoint: "http://127.0.0.1:4443" }, "nobody"],
    [{ endpoint: "http://[::1]:4443", credentials }, "grant"],
    [{ endpoint: "https://storage-x.p.googleapis.com/", authClient }, "client"],
    [{ projectId: "project" }, "default"],
    [{ keyFilename: "key.json" }, "key-file"],
    [{ credentials: { type: "service_account", project_id: "p", client_id: "1", ...credentials } }, "grant"],
  ] as const)("case %#", ([settings, kind]) => {
    expect(resolveGcsSettings({ bucket: "bucket", ...settings }).identity.kind).toBe(kind);
  });
});

describe("the backend", () => {
  const parts = { clock: systemClock, random: systemRandom };

  test.for([
    ["gs://bucket/a/b", "gs://bucket/a/b"],
    ["gcs://bucket", "gs://bucket"],
    ["gs://bucket/a%20b/ü", "gs://bucket/a%20b/%C3%BC"],
  ] as const)("opens %s", async ([url, shown]) => {
    const driver = await storeBackend.open(parseStoreUrl(url), { endpoint: "http://127.0.0.1:9" }, parts);
    expect(driver.url).toBe(shown);
    await driver.close();
  });

  test("takes bucket and prefix from the URL only", async () => {
    const opening = storeBackend.open(parseStoreUrl("gs://bucket"), { bucket: "other" }, parts);
    await expect(opening).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("checks the settings", async () => {
    const opening = storeBackend.open(parseStoreUrl("gs://bucket"), { endpoit: "x" }, parts);
    await expect(opening).rejects.toMatchObject({ message: expect.stringContaining("did you mean endpoint?") });
  });
});
