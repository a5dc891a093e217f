// Goal: a request is served only if it was signed by the one key, for this time, place and content.
// Method: signed requests over a connection, each with one thing wrong; the server's clock stands still.
import { expect, test } from "vitest";
import { startS3Server } from "../../src/s3/s3-server.ts";
import { type Expected, partsOf, startFixture } from "./fixture.ts";
import { credentials, identity, now, type RawRequest, send, sendAs, timestampOf } from "./raw-client.ts";
import { presign, queryText, uriEncode } from "./signer.ts";

const nowUs = Date.UTC(2023, 10, 14, 22, 13, 20) * 1000;
const minutes = (count: number): string => timestampOf(nowUs + count * 60_000_000);
const put = { method: "PUT", path: "/bucket/key", body: "data" } as const;

test.each<[string, RawRequest, Expected]>([
  ["rightly signed", put, { status: 200 }],
  [
    "with odd characters in path and query",
    { ...put, path: "/bucket/a b+c%2F(é)~*'!/$&@=;:,?", query: { "x-id": "a b+/é" } },
    { status: 200 },
  ],
  ["with an unsigned payload", { ...put, payloadHash: "UNSIGNED-PAYLOAD" }, { status: 200 }],
  ["with spaces in a header", { ...put, headers: { "x-amz-meta-a": "  two   spaces " } }, { status: 200 }],
  ["anonymous", { ...put, signed: false }, { status: 403, code: "AccessDenied" }],
  ["of 15 minutes ago", { ...put, timestamp: minutes(-15) }, { status: 200 }],
  ["of 16 minutes ago", { ...put, timestamp: minutes(-16) }, { status: 403, code: "RequestTimeTooSkewed" }],
  ["in 16 minutes", { ...put, timestamp: minutes(16) }, { status: 403, code: "RequestTimeTooSkewed" }],
  [
    "of an unknown key",
    { ...put, identity: { ...identity, accessKeyId: "AKIAOTHER" } },
    { status: 403, code: "InvalidAccessKeyId" },
  ],
  [
    "with a wrong secret",
    { ...put, identity: { ...identity, secretAccessKey: "guess" } },
    { status: 403, code: "SignatureDoesNotMatch" },
  ],
  [
    "for another region",
    { ...put, identity: { ...identity, region: "eu-west-1" } },
    { status: 400, code: "AuthorizationHeaderMalformed" },
  ],
  [
    "for another service",
    { ...put, identity: { ...identity, service: "ec2" } },
    { status: 400, code: "AuthorizationHeaderMalformed" },
  ],
  [
    "with a header changed",
    {
      ...put,
      headers: { "x-amz-meta-a": "1" },
      tamper: (headers) => {
        headers["x-amz-meta-a"] = "2";
      },
    },
    { status: 403, code: "SignatureDoesNotMatch" },
  ],
  [
    "with a header added",
    {
      ...put,
      tamper: (headers) => {
        headers["x-amz-meta-a"] = "2";
      },
    },
    { status: 403, code: "AccessDenied" },
  ],
  ["with another body", { ...put, payloadHash: "0".repeat(64) }, { status: 400, code: "XAmzContentSHA256Mismatch" }],
  ["with a hash that is none", { ...put, payloadHash: "sha256" }, { status: 400, code: "InvalidArgument" }],
  [
    "without a hash",
    {
      ...put,
      tamper: (headers) => {
        delete headers["x-amz-content-sha256"];
      },
    },
    { status: 400, code: "InvalidRequest" },
  ],
  [
    "without a date",
    {
      ...put,
      tamper: (headers) => {
        delete headers["x-amz-date"];
      },
    },
    { status: 403, code: "AccessDenied" },
  ],
  [
    "by an old scheme",
    {
      ...put,
      tamper: (headers) => {
        headers["authorization"] = "AWS AKIATEST:abc";
      },
    },
    { status: 400, code: "InvalidRequest" },
  ],
  [
    "with half a header",
    {
      ...put,
      tamper: (headers) => {
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=a";
      },
    },
    { status: 400, code: "AuthorizationHeaderMalformed" },
  ],
  [
    "with a token that nobody gave",
    { ...put, headers: { "x-amz-security-token": "t" } },
    { status: 400, code: "InvalidToken" },
  ],
])("%s", async (_, request, expected) => {
  const { server } = await startFixture();
  const response = await send(server, request);
  expect(partsOf(response, expected)).toEqual(expected);
  expect(server.objects("bucket").size).toBe(expected.status === 200 ? 1 : 0);
});

test.each<[string, Record<string, string>, Expected]>([
  ["the right token", { "x-amz-security-token": "token" }, { status: 200 }],
  ["another token", { "x-amz-security-token": "tokem" }, { status: 400, code: "InvalidToken" }],
  ["no token", {}, { status: 403, code: "InvalidAccessKeyId" }],
])("a temporary key with %s", async (_, headers, expected) => {
  const { server } = await startFixture({ credentials: { ...credentials, sessionToken: "token" } });
  expect(partsOf(await send(server, { ...put, headers }), expected)).toEqual(expected);
});

test.each<
  [
    string,
    { expiresSeconds?: number; at?: string; change?: Record<string, string | undefined>; path?: string },
    Expected,
  ]
>([
  ["as it was signed", {}, { status: 200, text: "data" }],
  ["at its last second", { at: minutes(-1), expiresSeconds: 60 }, { status: 200 }],
  ["too late", { at: minutes(-1), expiresSeconds: 59 }, { status: 403, code: "AccessDenied" }],
  ["from the future", { at: minutes(16) }, { status: 403, code: "RequestTimeTooSkewed" }],
  ["valid for a week", { expiresSeconds: 604_800 }, { status: 200 }],
  ["valid for longer", { expiresSeconds: 604_801 }, { status: 400, code: "AuthorizationQueryParametersError" }],
  ["for another key", { path: "/bucket/kez" }, { status: 403, code: "SignatureDoesNotMatch" }],
  [
    "with a longer life than signed",
    { change: { "X-Amz-Expires": "3000" } },
    { status: 403, code: "SignatureDoesNotMatch" },
  ],
  [
    "by another algorithm",
    { change: { "X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256" } },
    { status: 400, code: "AuthorizationQueryParametersError" },
  ],
  [
    "without a date",
    { change: { "X-Amz-Date": undefined } },
    { status: 400, code: "AuthorizationQueryParametersError" },
  ],
  [
    "with a credential that is none",
    { change: { "X-Amz-Credential": "a/b" } },
    { status: 400, code: "AuthorizationQueryParametersError" },
  ],
])(
  "a presigned request %s",
  async (_, { expiresSeconds = 300, at = now, change = {}, path = "/bucket/key" }, expected) => {
    const { server } = await startFixture();
    await send(server, put);
    const headers = { host: `${server.host}:${server.port}` };
    const signed = presign(
      identity,
      { method: "GET", path: "/bucket/key", query: {}, headers, timestamp: at },
      expiresSeconds,
    );
    const entries = Object.entries({ ...signed, ...change }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    const target = `${uriEncode(path, true)}?${queryText(Object.fromEntries(entries))}`;
    expect(partsOf(await sendAs(server, "GET", target, headers, undefined), expected)).toEqual(expected);
  },
);

test("a header and a query cannot both sign", async () => {
  const { server } = await startFixture();
  const response = await send(server, { ...put, query: { "X-Amz-Algorithm": "AWS4-HMAC-SHA256" } });
  expect([response.status, response.code]).toEqual([400, "InvalidArgument"]);
});

test("an open server takes anything, but not a body that is not what its hash says", async () => {
  const open = await startS3Server({ buckets: ["bucket"] });
  try {
    expect((await send(open, { ...put, signed: false })).status).toBe(200);
    expect((await send(open, { ...put, identity: { ...identity, secretAccessKey: "any" } })).status).toBe(200);
    expect((await send(open, { ...put, payloadHash: "0".repeat(64) })).code).toBe("XAmzContentSHA256Mismatch");
  } finally {
    await open.close();
  }
});

test("errors say what the server computed, records do not say who asked", async () => {
  const { server } = await startFixture();
  const response = await send(server, { ...put, identity: { ...identity, secretAccessKey: "guess" } });
  expect(response.text).toContain(
    "<StringToSign>AWS4-HMAC-SHA256&#xa;20231114T221320Z&#xa;20231114/us-east-1/s3/aws4_request",
  );
  expect(response.headers["content-type"]).toBe("application/xml");
  const [, requestId, hostId] = /<RequestId>(\w+)<\/RequestId><HostId>(\w+)<\/HostId>/.exec(response.text) ?? [];
  expect([requestId, hostId]).toEqual([response.headers["x-amz-request-id"], response.headers["x-amz-id-2"]]);
  const [record] = server.requests;
  expect(record).toMatchObject({
    method: "PUT",
    operation: "PutObject",
    bucket: "bucket",
    key: "key",
    query: {},
    status: 403,
  });
  expect(record?.headers).not.toHaveProperty("authorization");
  server.clearRequests();
  expect(server.requests).toEqual([]);
});
