/**
 * Goal: requests carry the token of whoever was named, tokens are asked for once and again in time, and a failure to get
 * one says what to do.
 * Method: one scripted server as token endpoint and store; the assertion's signature is verified; time by a manual clock.
 */
import { verify } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ObjectStoreDriver } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";
import type { GcsSettings } from "../src/gcs-settings.ts";
import { call, refusal, resource } from "./support/driver-fixture.ts";
import { type Received, type Reply, type ScriptedServer, startScriptedServer } from "./support/scripted-server.ts";
import { createTestAccount } from "./support/service-account.ts";

const token = (value: string, seconds = 3600): Reply => ({
  json: { access_token: value, expires_in: seconds, token_type: "Bearer" },
});

async function serve(answer: (received: Received, index: number) => Reply): Promise<ScriptedServer> {
  const server = await startScriptedServer(answer);
  onTestFinished(() => server.close());
  return server;
}

function open(server: ScriptedServer, settings: Partial<GcsSettings>, clock = new ManualClock()): ObjectStoreDriver {
  const driver = createGcsDriver({ bucket: "bucket", endpoint: server.url, ...settings }, { clock });
  onTestFinished(() => driver.close());
  return driver;
}

/** Tokens `t1`, `t2`, … from `/token`; the store accepts what `accepts` says. */
async function serveTokens(accepts: (bearer: string) => boolean = () => true, seconds = 3600): Promise<ScriptedServer> {
  let given = 0;
  return serve(({ path, headers }) => {
    if (path === "/token") return token(`t${++given}`, seconds);
    return accepts(headers.authorization?.slice(7) ?? "")
      ? resource()
      : refusal(401, "authError", "Invalid Credentials");
  });
}

const bearers = (server: ScriptedServer): (string | undefined)[] =>
  server.received.filter(({ path }) => path !== "/token").map(({ headers }) => headers.authorization);
const asked = (server: ScriptedServer): number => server.received.filter(({ path }) => path === "/token").length;

describe("a service account", () => {
  test("asks with a signed assertion", async () => {
    const server = await serveTokens();
    const { credentials, publicKey } = createTestAccount(`${server.url}/token`);
    const clock = new ManualClock({ wallUs: 1_700_000_000_900_000 });
    await open(server, { credentials }, clock).head("a", call);
    const form = new URLSearchParams(String(server.received[0]?.body));
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [header = "", claims = "", signature = ""] = form.get("assertion")?.split(".") ?? [];
    const decoded = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(decoded(header)).toEqual({ alg: "RS256", typ: "JWT", kid: "key-1" });
    expect(decoded(claims)).toEqual({
      iss: credentials.client_email,
      scope: "https://www.googleapis.com/auth/devstorage.read_write",
      aud: `${server.url}/token`,
      iat: 1_700_000_000,
      exp: 1_700_003_600,
    });
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify("RSA-SHA256", signed, publicKey, Buffer.from(signature, "base64url"))).toBe(true);
    expect(bearers(server)).toEqual(["Bearer t1"]);
  });

  test("asks once for many requests, and again before the token ends", async () => {
    const server = await serveTokens();
    const { credentials } = createTestAccount(`${server.url}/token`);
    const clock = new ManualClock();
    const driver = open(server, { credentials }, clock);
    await Promise.all(["a", "b", "c"].map((key) => driver.head(key, call)));
    expect(asked(server)).toBe(1);
    clock.advance(3_374_000);
    await driver.head("d", call);
    expect(asked(server)).toBe(1);
    clock.advance(2_000);
    await driver.head("e", call);
    expect(bearers(server).at(-1)).toBe("Bearer t2");
  });

  test("gets another token after one was withdrawn, by one more attempt", async () => {
    let withdrawn = "";
    const server = await serveTokens((bearer) => bearer !== withdrawn);
    const { credentials } = createTestAccount(`${server.url}/token`);
    const driver = open(server, { credentials });
    await driver.head("a", call);
    withdrawn = "t1";
    await expect(driver.head("a", call)).rejects.toMatchObject({ code: "UNAUTHENTICATED", retryable: true });
    await driver.head("a", call);
    expect(bearers(server)).toEqual(["Bearer t1", "Bearer t1", "Bearer t2"]);
  });

  test("is refused for good when a new token is not accepted either", async () => {
    const server = await serveTokens(() => false);
    const { credentials } = createTestAccount(`${server.url}/token`);
    const reading = open(server, { credentials }).head("a", call);
    await expect(reading).rejects.toMatchObject({ code: "UNAUTHENTICATED", retryable: false });
  });

  test.for([
    [{ status: 400, json: { error: "invalid_grant" } }, "UNAUTHENTICATED"],
    [{ status: 503 }, "UNAVAILABLE"],
    [{ fault: "reset" }, "UNAVAILABLE"],
    [{ json: { access_token: "with\nnewline" } }, "UNAUTHENTICATED"],
    [{ json: { access_token: 5 } }, "UNAUTHENTICATED"],
    [{ bytes: Buffer.from("<html>") }, "UNAUTHENTICATED"],
  ] as const)("told %j by the token endpoint: %s, and nothing was sent", async ([reply, code]) => {
    const server = await serve(() => reply);
    const { credentials } = createTestAccount(`${server.url}/token`);
    const deleting = open(server, { credentials }).delete("a", {}, call);
    await expect(deleting).rejects.toMatchObject({ code, outcome: "none" });
    expect(server.received.map(({ path }) => path)).toEqual(["/token"]);
  });

  test("one call that is stopped does not take the token from the others; the last one stops the asking", async () => {
    const server = await serve(() => ({ fault: "hang" }));
    const { credentials } = createTestAccount(`${server.url}/token`);
    const driver = open(server, { credentials });
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [first, second].map(({ signal }) => driver.head("a", { signal }));
    const settled = Promise.allSettled(calls);
    await server.receives(1);
    first.abort(new Error("one"));
    await expect(calls[0]).rejects.toThrow("one");
    second.abort(new Error("two"));
    await settled;
    await server.idle();
    expect(server.received).toHaveLength(1);
  });

  test("closing the driver ends the asking", async () => {
    const server = await serve(() => ({ fault: "hang" }));
    const { credentials } = createTestAccount(`${server.url}/token`);
    const driver = open(server, { credentials });
    const reading = driver.head("a", call);
    const settled = Promise.allSettled([reading]);
    await server.receives(1);
    await driver.close();
    await settled;
    await expect(reading).rejects.toMatchObject({ code: "CLOSED" });
    await server.idle();
  });
});

describe("a key file", () => {
  async function keyFile(content: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), "varve-gcs-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const path = join(directory, "key.json");
    await writeFile(path, content);
    return path;
  }

  test("of a service account", async () => {
    const server = await serveTokens();
    const { credentials } = createTestAccount(`${server.url}/token`);
    const content = { type: "service_account", project_id: "p", universe_domain: "googleapis.com", ...credentials };
    const keyFilename = await keyFile(JSON.stringify(content));
    await open(server, { keyFilename }).head("a", call);
    expect(bearers(server)).toEqual(["Bearer t1"]);
  });

  test("of a user", async () => {
    const server = await serveTokens();
    const content = {
      type: "authorized_user",
      client_id: "id",
      client_secret: "canary-client",
      refresh_token: "canary-refresh",
      token_uri: `${server.url}/token`,
    };
    const keyFilename = await keyFile(JSON.stringify(content));
    await open(server, { keyFilename }).head("a", call);
    expect(Object.fromEntries(new URLSearchParams(String(server.received[0]?.body)))).toEqual({
      grant_type: "refresh_token",
      client_id: "id",
      client_secret: "canary-client",
      refresh_token: "canary-refresh",
    });
    expect(bearers(server)).toEqual(["Bearer t1"]);
  });

  test.for([
    ["that is not JSON", '{"private_key": "canary"'],
    ["of a kind that runs programs", '{"type": "external_account", "credential_source": {"executable": "canary"}}'],
    ["without a key", '{"type": "service_account", "client_email": "canary"}'],
    ["with a key that is none", '{"type": "service_account", "client_email": "e", "private_key": "canary"}'],
  ])("%s is refused, without its content", async ([, content]) => {
    const server = await serveTokens();
    const keyFilename = await keyFile(content ?? "");
    const error: unknown = await open(server, { keyFilename })
      .head("a", call)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAUTHENTICATED", outcome: "none" });
    expect(String((error as Error).message)).not.toContain("canary");
    expect(server.received).toEqual([]);
  });

  test("that is missing", async () => {
    const server = await serveTokens();
    const reading = open(server, { keyFilename: "/nonexistent/key.json" }).head("a", call);
    await expect(reading).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });
});

describe("an authClient", () => {
  test.for([
    ["Headers", new Headers({ authorization: "Bearer theirs", "x-goog-user-project": "quota" })],
    ["an object", { authorization: "Bearer theirs", "x-goog-user-project": "quota" }],
  ] as const)("that gives %s", async ([, headers]) => {
    const server = await serve(() => resource());
    const urls: (string | undefined)[] = [];
    const authClient = {
      getRequestHeaders(url?: string): Promise<Headers | Record<string, string>> {
        urls.push(url);
        return Promise.resolve(headers);
      },
    };
    await open(server, { authClient }).head("a", call);
    expect(urls).toEqual([`${server.url}/`]);
    expect(server.received[0]?.headers).toMatchObject({
      authorization: "Bearer theirs",
      "x-goog-user-project": "quota",
    });
  });

  test("that never answers does not hold a call that is stopped", async () => {
    const server = await serve(() => resource());
    const authClient = { getRequestHeaders: (): Promise<Headers> => new Promise(() => {}) };
    const controller = new AbortController();
    const reading = open(server, { authClient }).head("a", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
  });

  test("that fails", async () => {
    const server = await serve(() => resource());
    const authClient = { getRequestHeaders: (): Promise<Headers> => Promise.reject(new Error("no token")) };
    const reading = open(server, { authClient }).head("a", call);
    await expect(reading).rejects.toMatchObject({ code: "UNAUTHENTICATED", outcome: "none" });
  });
});

test("another endpoint gets no credentials unless some are given", async () => {
  const server = await serve(() => resource());
  await open(server, {}).head("a", call);
  expect(bearers(server)).toEqual([undefined]);
});

test("a token that comes after the driver was closed is of no use: nothing connects any more", async () => {
  const server = await serve(() => resource());
  const { promise, resolve } = Promise.withResolvers<Record<string, string>>();
  const driver = open(server, { authClient: { getRequestHeaders: () => promise } });
  const asking = driver.head("a", call);
  await driver.close();
  resolve({ authorization: "Bearer late" });
  await expect(asking).rejects.toMatchObject({ code: "CLOSED", outcome: "none" });
  expect(server.received).toEqual([]);
});
