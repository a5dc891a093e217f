// Goal: credentials, tokens, the request log and the server's own life.
// Method: assertions signed here with a fresh key and bent in one way each; raw requests with and without a token.
import { createSign, generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { startGcsServer } from "@varve/cloud-servers";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { put, raw, start, withServer } from "./raw-http.ts";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = keys.publicKey.export({ type: "spki", format: "pem" }).toString();
const nowSeconds = 1_700_000_000;

interface Bend {
  readonly alg?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: typeof keys.privateKey;
}

function assertion(audience: string, { alg = "RS256", claims = {}, key = keys.privateKey }: Bend = {}): string {
  const all = { iss: "me@example.test", scope: "storage", aud: audience, iat: nowSeconds, exp: nowSeconds + 3600 };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg, typ: "JWT" })}.${encode({ ...all, ...claims })}`;
  return `${signed}.${createSign("sha256").update(signed).sign(key, "base64url")}`;
}

function form(jwt: string, grantType: string = "urn:ietf:params:oauth:grant-type:jwt-bearer") {
  const body = new URLSearchParams({ grant_type: grantType, assertion: jwt }).toString();
  return { body, headers: { "content-type": "application/x-www-form-urlencoded" } };
}

test("every request needs the token but those to an upload session", async () => {
  await withServer({ token: "secret" }, async (server) => {
    const line = "GET /storage/v1/b/bucket/o";
    const none = await raw(server, line);
    expect([none.status, none.reason]).toEqual([401, "required"]);
    expect(none.json).toMatchObject({
      error: { code: 401, message: "Login Required", errors: [{ locationType: "header", location: "Authorization" }] },
    });
    for (const authorization of ["Bearer other", "Basic secret", "secret"]) {
      const wrong = await raw(server, line, { headers: { authorization } });
      expect([wrong.status, wrong.reason]).toEqual([401, "authError"]);
    }
    const headers = { authorization: "Bearer secret" };
    expect((await raw(server, line, { headers })).status).toBe(200);
    await expect(put(server, "n", "x")).rejects.toThrow("401");
    const path = await start(server, "n", { headers });
    expect((await raw(server, `PUT ${path}`, { body: "x" })).status).toBe(200);
  });
});

test("an assertion gets the token", async () => {
  await withServer({ token: "secret", publicKey, clock: new ManualClock() }, async (server) => {
    const granted = await raw(server, "POST /token", form(assertion(`${server.url}/token`)));
    expect([granted.status, granted.json]).toEqual([
      200,
      { access_token: "secret", expires_in: 3599, token_type: "Bearer" },
    ]);
  });
});

const otherKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

test.for<readonly [string, Bend]>([
  ["another key", { key: otherKey }],
  ["another algorithm", { alg: "none" }],
  ["no issuer", { claims: { iss: undefined } }],
  ["no scope", { claims: { scope: "" } }],
  ["another audience", { claims: { aud: "https://elsewhere.test/token" } }],
  ["the past", { claims: { iat: nowSeconds - 3600, exp: nowSeconds } }],
  ["the future", { claims: { iat: nowSeconds + 301, exp: nowSeconds + 400 } }],
  ["a long life", { claims: { exp: nowSeconds + 3601 } }],
  ["no times", { claims: { iat: undefined } }],
])("an assertion is refused: %s", async ([, bend]) => {
  await withServer({ token: "secret", publicKey, clock: new ManualClock() }, async (server) => {
    const refused = await raw(server, "POST /token", form(assertion(`${server.url}/token`, bend)));
    expect([refused.status, refused.json["error"]]).toEqual([400, "invalid_grant"]);
  });
});

test("what is no assertion is refused; without a key, signatures are not checked", async () => {
  await withServer({ token: "secret", clock: new ManualClock() }, async (server) => {
    for (const jwt of ["", "a.b.c", "a.b", `${assertion("x")}.d`]) {
      expect((await raw(server, "POST /token", form(jwt))).json["error"]).toBe("invalid_grant");
    }
    const grant = await raw(server, "POST /token", form(assertion("x"), "password"));
    expect(grant.json["error"]).toBe("unsupported_grant_type");
    const unchecked = form(assertion(`${server.url}/token`, { key: otherKey }));
    expect((await raw(server, "POST /token", unchecked)).json["access_token"]).toBe("secret");
  });
});

test("the log has what came, without credentials", async () => {
  await withServer({ token: "secret" }, async (server) => {
    const headers = { authorization: "Bearer secret", "x-own": "1" };
    const path = await start(server, "a/b", { headers });
    await raw(server, `PUT ${path}`, { headers: { "content-range": "bytes */*" } });
    await raw(server, "GET /storage/v1/b/bucket/o/a%2Fb?alt=media", { headers });
    const upload = { bucket: "bucket", object: "a/b" };
    expect(server.requests).toMatchObject([
      {
        ...upload,
        method: "POST",
        operation: "uploads.start",
        status: 200,
        query: { uploadType: "resumable", name: "a/b" },
      },
      { ...upload, method: "PUT", operation: "uploads.status", status: 308 },
      { ...upload, method: "GET", operation: "objects.getMedia", status: 404, query: { alt: "media" } },
    ]);
    expect(server.requests[2]?.headers["x-own"]).toBe("1");
    expect(JSON.stringify(server.requests)).not.toContain("secret");
    server.clearRequests();
    expect(server.requests).toEqual([]);
  });
});

test("closing is idempotent, frees the port, and breaks what is under way", async () => {
  const server = await startGcsServer({ buckets: ["bucket"] });
  await Promise.all([server.close(), server.close()]);
  await expect(raw(server, "GET /storage/v1/b/bucket")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await withServer({ port: server.port }, async (again) => expect(again.port).toBe(server.port));
});

test("a failure of the server itself is a 500 that says what happened", async () => {
  const random = new SeededRandom(1);
  random.fill = () => {
    throw new Error("no randomness is left");
  };
  await withServer({ random }, async (server) => {
    const answer = await raw(server, "POST /upload/storage/v1/b/bucket/o?uploadType=resumable&name=n");
    expect([answer.status, answer.reason]).toEqual([500, "internalError"]);
    expect(answer.body.toString()).toContain("no randomness is left");
  });
});

test("options out of their range are refused", async () => {
  const start = (options: object) => startGcsServer({ buckets: [], ...options });
  await expect(start({ rewriteBytesPerCall: 0 })).rejects.toThrow(RangeError);
  await expect(start({ bodyBytesMax: -1 })).rejects.toThrow(RangeError);
  await expect(start({ publicKey })).rejects.toThrow(RangeError);
  await expect(start({ faults: [{ action: { kind: "errorInBody", when: "after" } }] })).rejects.toThrow(RangeError);
  await withServer({}, async (server) => {
    expect(() => server.objects("other")).toThrow(RangeError);
    expect(() => server.sessions("other")).toThrow(RangeError);
    await expect(start({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
