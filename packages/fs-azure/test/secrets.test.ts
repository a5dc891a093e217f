// Goal: no key, signature or token shows in an error, a driver or settings, whatever fails.
// Method: every kind of credential meets every kind of failure; what comes out is dumped and searched for what was sent.
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import type { DriverInfo, ObjectStoreDriver } from "@varve/fs-core";
import { expect, test } from "vitest";
import { type AzureSettings, createAzureDriver } from "../src/index.ts";
import { resolveAzureSettings } from "../src/azure-settings.ts";
import {
  type Answering,
  type RecordedAnswer,
  type RecordedService,
  startRecordedService,
} from "./support/recorded-service.ts";

const answers = JSON.parse(readFileSync(new URL("responses/blob-service.json", import.meta.url), "utf8")) as Readonly<
  Record<string, RecordedAnswer>
>;
const accountKey = Buffer.from("canary of the account's key").toString("base64");
const sasToken = "sv=2026-10-06&sp=rwdl&sig=canary%2Fof%2Fa%2Fsignature%3D";
const credential = {
  secret: "canary of a client secret",
  getToken: async () => ({ token: "canary.of.a.token", expiresOnTimestamp: 4_000_000_000_000 }),
};
const failing = {
  getToken: async (): Promise<null> => {
    throw Object.assign(new Error("no token from https://login.example/token?client_secret=canary"), {
      request: { headers: { authorization: "canary.of.a.token" } },
    });
  },
};
const base = { account: "lake1", container: "logs", hierarchicalNamespace: true };
const credentials: readonly [string, AzureSettings][] = [
  ["a key", { ...base, accountKey }],
  ["a signature", { ...base, sasToken }],
  ["a credential", { ...base, credential }],
  ["a credential that fails", { ...base, credential: failing }],
  ["a connection string", { ...base, connectionString: `AccountName=lake1;AccountKey=${accountKey}` }],
];

/** What the service would say of a request that it cannot take: all that was in it. */
const echo: Answering = ({ url, headers }) => ({
  status: 400,
  headers: { "content-type": "text/html" },
  body: `<html>${url.href} ${JSON.stringify(headers)}</html>`,
});
const jsonEcho: Answering = ({ url, headers }) => ({
  status: 403,
  headers: { "content-type": "application/json", "x-ms-request-id": "1", "x-ms-error-code": "AuthenticationFailed" },
  body: JSON.stringify({
    error: { code: "AuthenticationFailed", message: `Refused.\n${url.href} ${JSON.stringify(headers)}` },
  }),
});
/** The request as it came: no address in it has a host, and nothing looks like a document. */
const plainEcho =
  (status: number, type: string): Answering =>
  ({ method, url, headers }) => ({
    status,
    headers: { "content-type": type },
    body: [`${method} ${url.pathname}${url.search}`, ...Object.entries(headers).map((pair) => pair.join(": "))].join(
      " ",
    ),
  });
const failures: readonly [string, Answering][] = [
  ["echoed as text", plainEcho(400, "text/plain")],
  ["echoed as text, as a success", plainEcho(200, "text/plain")],
  ["echoed as text, as a creation", plainEcho(201, "text/plain")],
  ["echoed as what it is not", plainEcho(201, "application/xml")],
  ["refused", () => answers["AuthenticationFailed"]],
  ["failed", () => answers["InternalError"]],
  ["echoed", echo],
  ["echoed in JSON", jsonEcho],
  [
    "broken off",
    (_request, response) => {
      response.socket?.destroy();
      return undefined;
    },
  ],
];

/** A rename looks at its source first: that is there. */
const withSource =
  (answering: Answering): Answering =>
  (request, response) =>
    request.url.pathname.endsWith("/there")
      ? {
          status: 200,
          headers: { etag: '"0x1"', "content-length": "1", "last-modified": "Thu, 26 Nov 2026 01:58:23 GMT" },
          body: "",
        }
      : answering(request, response);

async function errorsOf(driver: ObjectStoreDriver): Promise<unknown[]> {
  const call = { signal: new AbortController().signal };
  const put = { metadata: {}, contentType: "text/plain", checksum: undefined };
  const from: DriverInfo = {
    key: "a",
    size: 1,
    version: "0x1",
    lastModifiedMs: 0,
    metadata: {},
    contentType: undefined,
    checksum: undefined,
  };
  const part = { number: 1, offset: 0, bytes: Uint8Array.of(1), checksum: 1n, isLast: true };
  const attempts: readonly (() => Promise<unknown> | undefined)[] = [
    () => driver.head("a", call),
    () => driver.get("a", {}, call),
    () => driver.put("a", Uint8Array.of(1), put, call),
    () => driver.uploadPart("a", "0".repeat(32), part, call),
    () => driver.completeUpload("a", "0".repeat(32), [], { ...put, size: 0 }, call),
    () => driver.copy(from, "b", { ...put, ifSourceMatch: "0x1" }, call),
    () => driver.uploadPartCopy?.("b", "0".repeat(32), { number: 1, from, offset: 0, size: 1 }, call),
    () => driver.rename?.("there", "b", { ifAbsent: true }, call),
    () => driver.delete("a", {}, call),
    () =>
      driver.listPage(
        { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 1, pageToken: undefined },
        call,
      ),
    () => driver.listUploadsPage?.({ prefix: "", pageToken: undefined }, call),
  ];
  const errors: unknown[] = [];
  for (const attempt of attempts) {
    try {
      await attempt();
    } catch (error) {
      errors.push(error);
    }
  }
  expect(errors.length).toBe(attempts.length);
  return errors;
}

function dump(value: unknown): string {
  const parts = [inspect(value, { depth: 12, showHidden: true }), JSON.stringify(value), String(value)];
  if (value instanceof Error) parts.push(value.message, value.stack ?? "", dump(value.cause));
  return parts.join("\n");
}

/** Signatures and tokens that were made on the way. */
function sentSecrets({ requests }: RecordedService): string[] {
  return requests.flatMap(({ url, headers }) => {
    const source = [headers["x-ms-copy-source"], headers["x-ms-rename-source"]].flat().join(" ");
    const signatures = [...`${url.href} ${source}`.matchAll(/sig=([^&\s]+)/g)].map((match) => match[1] ?? "");
    const authorization = headers.authorization?.split(/[ :]/).at(-1) ?? "";
    return [...signatures, ...signatures.map(decodeURIComponent), authorization].filter((secret) => secret !== "");
  });
}

test.each(
  credentials.flatMap(([access, settings]) =>
    failures.map(([failure, answering]) => [access, failure, settings, answering] as const),
  ),
)("%s, %s", async (access, _failure, settings, answering) => {
  const service = await startRecordedService(withSource(answering));
  const driver = createAzureDriver(settings, { agent: service.agent });
  const text = [...(await errorsOf(driver)), driver, resolveAzureSettings(settings)].map(dump).join("\n");
  if (access !== "a credential that fails") {
    expect(service.requests.some(({ headers }) => headers["x-ms-rename-source"] !== undefined)).toBe(true);
  }
  const secrets = new Set([accountKey, ...sentSecrets(service)]);
  // The search finds what it looks for: without a token nothing is sent, otherwise every request was signed.
  expect(secrets.size > 1).toBe(access !== "a credential that fails");
  expect(text).not.toContain("canary");
  for (const secret of secrets) expect(text).not.toContain(secret);
  await driver.close();
  await service.stop();
});
