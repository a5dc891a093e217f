// Goal: a body is stored only if it is what its request says: length, digests, chunks, signatures and trailers.
// Method: raw bodies, each with one thing wrong, made by hand from the vendor's description of the coding.
import { request as httpRequest } from "node:http";
import { crc32 } from "node:zlib";
import { crc64Nvme } from "@varve/fs-core";
import { expect, test } from "vitest";
import { crc32c } from "../../src/s3/body/crc32c.ts";
import { digestBase64, type Expected, md5Base64, md5Hex, partsOf, startFixture } from "./fixture.ts";
import { identity, now, send, sendAs, signedHeaders } from "./raw-client.ts";
import { chunkSignature, trailerSignature } from "./signer.ts";

const data = "The quick brown fox jumps over the lazy dog";
const big = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString("base64");
};
const big64 = (value: bigint): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes.toString("base64");
};
const checksums = {
  crc32: big(crc32(data)),
  crc32c: big(crc32c(Buffer.from(data))),
  crc64nvme: big64(crc64Nvme(Buffer.from(data))),
  sha1: digestBase64("sha1", data),
  sha256: digestBase64("sha256", data),
};
const wrong = {
  crc32: "AAAAAA==",
  crc32c: "AAAAAA==",
  crc64nvme: "AAAAAAAAAAA=",
  sha1: digestBase64("sha1", ""),
  sha256: digestBase64("sha256", ""),
};
const names = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;

test("published checksums of 123456789", () => {
  const digits = Buffer.from("123456789");
  expect(crc32c(digits)).toBe(0xe3069283);
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc64Nvme(digits)).toBe(0xae8b14860a799888n);
});

test.each<[string, Record<string, string>, Expected]>([
  [
    "nothing said",
    {},
    {
      status: 200,
      headers: {
        etag: `"${md5Hex(data)}"`,
        "x-amz-checksum-crc64nvme": checksums.crc64nvme,
        "x-amz-checksum-type": "FULL_OBJECT",
      },
    },
  ],
  ...names.map((name): [string, Record<string, string>, Expected] => [
    `the right ${name}`,
    { [`x-amz-checksum-${name}`]: checksums[name], "x-amz-sdk-checksum-algorithm": name.toUpperCase() },
    { status: 200, headers: { [`x-amz-checksum-${name}`]: checksums[name], "x-amz-checksum-type": "FULL_OBJECT" } },
  ]),
  ...names.map((name): [string, Record<string, string>, Expected] => [
    `a wrong ${name}`,
    { [`x-amz-checksum-${name}`]: wrong[name] },
    { status: 400, code: "BadDigest" },
  ]),
  ["a checksum of the wrong length", { "x-amz-checksum-crc32": "AAAA" }, { status: 400, code: "InvalidRequest" }],
  [
    "two checksums",
    { "x-amz-checksum-crc32": checksums.crc32, "x-amz-checksum-sha1": checksums.sha1 },
    { status: 400, code: "InvalidRequest" },
  ],
  [
    "an algorithm without its checksum",
    { "x-amz-sdk-checksum-algorithm": "CRC32" },
    { status: 400, code: "InvalidRequest" },
  ],
  ["an algorithm that nobody knows", { "x-amz-checksum-crc16": "AAA=" }, { status: 501, code: "NotImplemented" }],
  ["the right MD5", { "content-md5": md5Base64(data) }, { status: 200 }],
  ["a wrong MD5", { "content-md5": md5Base64("") }, { status: 400, code: "BadDigest" }],
  ["an MD5 that is none", { "content-md5": "abc" }, { status: 400, code: "InvalidDigest" }],
])("%s", async (_, headers, expected) => {
  const { server, ask } = await startFixture();
  expect(partsOf(await ask("PUT", "key", { headers, body: data }), expected)).toEqual(expected);
  expect(server.objects("bucket").has("key")).toBe(expected.status === 200);
});

test("a checksum is given back to whoever asks, but not with a part of the bytes", async () => {
  const { ask } = await startFixture();
  await ask("PUT", "key", { headers: { "x-amz-checksum-crc32c": checksums.crc32c }, body: data });
  const mode = { "x-amz-checksum-mode": "ENABLED" };
  for (const method of ["GET", "HEAD"]) {
    expect((await ask(method, "key")).headers["x-amz-checksum-crc32c"]).toBeUndefined();
    const { headers } = await ask(method, "key", { headers: mode });
    expect([headers["x-amz-checksum-crc32c"], headers["x-amz-checksum-type"]]).toEqual([
      checksums.crc32c,
      "FULL_OBJECT",
    ]);
    const part = await ask(method, "key", { headers: { ...mode, range: "bytes=0-3" } });
    expect([part.status, part.headers["x-amz-checksum-crc32c"]]).toEqual([206, undefined]);
  }
});

test.each<[string, Record<string, string>, Expected]>([
  ["no length", { "transfer-encoding": "chunked" }, { status: 501, code: "NotImplemented" }],
  [
    "more than may be put",
    { "content-length": String(5 * 2 ** 30 + 1), expect: "100-continue" },
    { status: 400, code: "EntityTooLarge" },
  ],
])("%s", async (_, headers, expected) => {
  const { server } = await startFixture();
  const raw = { method: "PUT", path: "/bucket/key", headers, payloadHash: "UNSIGNED-PAYLOAD" };
  const isContinued = headers["expect"] !== undefined;
  const response = await sendAs(
    server,
    "PUT",
    "/bucket/key",
    signedHeaders(server, raw),
    isContinued ? undefined : data,
  );
  expect(partsOf(response, expected)).toEqual(expected);
});

test("a body waits for the server to ask for it, and is not asked for in vain", async () => {
  const { ask, server } = await startFixture();
  const accepted = await ask("PUT", "key", { headers: { expect: "100-continue" }, body: data });
  expect(accepted.status).toBe(200);
  const refused = await ask("PUT", "key", {
    headers: { expect: "100-continue", "x-amz-acl": "public-read" },
    body: data,
  });
  expect([refused.status, refused.code, refused.headers["connection"]]).toEqual([501, "NotImplemented", "close"]);
  expect(server.objects("bucket").get("key")?.bytes).toBe(data.length);
});

const unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const crcTrailer = { "x-amz-trailer": "x-amz-checksum-crc32" };
const hex = (bytes: number): string => bytes.toString(16);
const chunk = (text: string): string => `${hex(text.length)}\r\n${text}\r\n`;
const last = (trailer = `x-amz-checksum-crc32:${checksums.crc32}\r\n`): string => `0\r\n${trailer}\r\n`;
const long = "a".repeat(8192);

test.each<[string, { body: string; decoded?: number; headers?: Record<string, string> }, Expected]>([
  ["one chunk", { body: chunk(data) + last() }, { status: 200, headers: { "x-amz-checksum-crc32": checksums.crc32 } }],
  ["no chunk", { body: last("x-amz-checksum-crc32:AAAAAA==\r\n"), decoded: 0 }, { status: 200 }],
  [
    "two chunks",
    { body: chunk(long) + chunk("b") + last(`x-amz-checksum-crc32:${big(crc32(`${long}b`))}\r\n`), decoded: 8193 },
    { status: 200 },
  ],
  [
    "a short chunk before the last",
    { body: chunk("a") + chunk("b") + last(), decoded: 2 },
    { status: 403, code: "InvalidChunkSizeError" },
  ],
  [
    "a wrong checksum",
    { body: chunk(data) + last("x-amz-checksum-crc32:AAAAAA==\r\n") },
    { status: 400, code: "BadDigest" },
  ],
  [
    "a checksum that is none",
    { body: chunk(data) + last("x-amz-checksum-crc32:AAAA\r\n") },
    { status: 400, code: "InvalidRequest" },
  ],
  ["no trailer", { body: chunk(data) + last("") }, { status: 400, code: "MalformedTrailerError" }],
  [
    "another trailer",
    { body: chunk(data) + last(`x-amz-checksum-sha1:${checksums.sha1}\r\n`) },
    { status: 400, code: "MalformedTrailerError" },
  ],
  [
    "a trailer that is no header",
    { body: chunk(data) + last("checksum\r\n") },
    { status: 400, code: "MalformedTrailerError" },
  ],
  [
    "a trailer that nobody knows",
    { body: chunk(data) + last(), headers: { "x-amz-trailer": "x-amz-meta-a" } },
    { status: 400, code: "InvalidRequest" },
  ],
  [
    "a chunk that is shorter than it says",
    { body: `30\r\n${data}\r\n${last()}` },
    { status: 400, code: "IncompleteBody" },
  ],
  [
    "a chunk that is longer than it says",
    { body: `1\r\n${data}\r\n${last()}` },
    { status: 400, code: "IncompleteBody" },
  ],
  ["no end", { body: chunk(data) }, { status: 400, code: "IncompleteBody" }],
  ["something behind the end", { body: `${chunk(data)}${last()}x` }, { status: 400, code: "IncompleteBody" }],
  [
    "fewer bytes than announced",
    { body: chunk(data) + last(), decoded: data.length + 1 },
    { status: 400, code: "IncompleteBody" },
  ],
  [
    "more bytes than announced",
    { body: chunk(data) + last(), decoded: data.length - 1 },
    { status: 400, code: "IncompleteBody" },
  ],
  [
    "a signature that was not announced",
    { body: `1;chunk-signature=${"0".repeat(64)}\r\na\r\n${last()}` },
    { status: 400, code: "IncompleteBody" },
  ],
  ["an endless line", { body: "1".repeat(5000) }, { status: 400, code: "IncompleteBody" }],
])("chunks without signatures: %s", async (_, { body, decoded = data.length, headers = {} }, expected) => {
  const { server, ask } = await startFixture();
  const response = await ask("PUT", "key", {
    headers: {
      "content-encoding": "aws-chunked",
      ...crcTrailer,
      "x-amz-decoded-content-length": String(decoded),
      ...headers,
    },
    body,
    payloadHash: unsignedTrailer,
  });
  expect(partsOf(response, expected)).toEqual(expected);
  expect(server.objects("bucket").get("key")?.bytes).toBe(expected.status === 200 ? decoded : undefined);
});

test("the coding of the request is not that of the object, and its length is needed", async () => {
  const { ask } = await startFixture();
  const headers = { ...crcTrailer, "content-encoding": "aws-chunked,gzip" };
  const body = chunk(data) + last();
  const without = await ask("PUT", "key", { headers, body, payloadHash: unsignedTrailer });
  expect([without.status, without.code]).toEqual([411, "MissingContentLength"]);
  const length = { "x-amz-decoded-content-length": String(data.length), "transfer-encoding": "chunked" };
  const put = await ask("PUT", "key", { headers: { ...headers, ...length }, body, payloadHash: unsignedTrailer });
  expect(put.status).toBe(200);
  expect((await ask("GET", "key")).headers["content-encoding"]).toBe("gzip");
});

interface Signed {
  readonly trailer?: boolean;
  readonly spoil?: "chunk" | "order" | "trailer" | "trailerSignature";
}

test.each<[string, Signed, Expected]>([
  ["right", {}, { status: 200 }],
  ["a chunk changed", { spoil: "chunk" }, { status: 403, code: "SignatureDoesNotMatch" }],
  ["chunks exchanged", { spoil: "order" }, { status: 403, code: "SignatureDoesNotMatch" }],
  ["right, with a trailer", { trailer: true }, { status: 200 }],
  ["a trailer changed", { trailer: true, spoil: "trailer" }, { status: 403, code: "SignatureDoesNotMatch" }],
  [
    "a trailer without its signature",
    { trailer: true, spoil: "trailerSignature" },
    { status: 400, code: "MalformedTrailerError" },
  ],
])("chunks with signatures: %s", async (_, { trailer = false, spoil }, expected) => {
  const { server } = await startFixture();
  const pieces = ["a".repeat(8192), "b".repeat(8192), ""];
  const whole = pieces.join("");
  const payloadHash = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer ? "-TRAILER" : ""}`;
  const raw = {
    method: "PUT",
    path: "/bucket/key",
    payloadHash,
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": String(whole.length),
      ...(trailer && { "x-amz-trailer": "x-amz-checksum-crc32" }),
    },
  };
  const headers = signedHeaders(server, raw);
  let previous = /Signature=(\w+)/.exec(headers["authorization"] ?? "")?.[1] ?? "";
  const chunks = pieces.map((piece) => {
    previous = chunkSignature(identity, now, previous, Buffer.from(piece));
    return `${hex(piece.length)};chunk-signature=${previous}\r\n${piece}${piece === "" && trailer ? "" : "\r\n"}`;
  });
  if (spoil === "chunk") chunks[0] = (chunks[0] ?? "").replace("aaa", "aab");
  if (spoil === "order") chunks.unshift(...chunks.splice(1, 1));
  const line = `x-amz-checksum-crc32:${spoil === "trailer" ? "AAAAAA==" : big(crc32(whole))}`;
  const signature = trailerSignature(identity, now, previous, `x-amz-checksum-crc32:${big(crc32(whole))}\n`);
  const signatureLine = spoil === "trailerSignature" ? "" : `x-amz-trailer-signature:${signature}\r\n`;
  const end = trailer ? `${line}\r\n${signatureLine}\r\n` : "";
  const response = await sendAs(server, "PUT", "/bucket/key", headers, chunks.join("") + end);
  expect(partsOf(response, expected)).toEqual(expected);
  expect(server.objects("bucket").has("key")).toBe(expected.status === 200);
});

test("a client that goes away in the middle leaves nothing behind", async () => {
  const { server } = await startFixture();
  const headers = signedHeaders(server, { method: "PUT", path: "/bucket/key", payloadHash: "UNSIGNED-PAYLOAD" });
  await new Promise<void>((resolve) => {
    const started = httpRequest({
      host: server.host,
      port: server.port,
      method: "PUT",
      path: "/bucket/key",
      headers: { ...headers, "content-length": "100" },
    });
    started.on("error", () => resolve());
    started.write("abc", () => started.destroy());
    started.on("close", () => resolve());
  });
  // Answered after the server noticed: one connection at a time is not promised, closing is.
  expect((await send(server, { method: "HEAD", path: "/bucket/key" })).status).toBe(404);
  await server.close();
  expect(server.objects("bucket").size).toBe(0);
});
