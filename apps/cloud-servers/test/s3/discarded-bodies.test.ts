// Goal: a server that discards bodies takes uploads of any size, knows their digests, and never invents their bytes.
// Method: an upload streamed through a small buffer, its memory watched; every way to read, copy and check it.
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { Crc64, crc64Nvme } from "@varve/fs-core";
import { expect, test } from "vitest";
import type { S3Server } from "../../src/s3/s3-server.ts";
import { element, md5Hex, startFixture } from "./fixture.ts";
import { signedHeaders } from "./raw-client.ts";
import { queryText } from "./signer.ts";

const piece = Buffer.alloc(2 ** 20, "piece of data ");
const big64 = (value: bigint): string => Buffer.from(value.toString(16).padStart(16, "0"), "hex").toString("base64");

/** A part of `count` pieces, one after the other. */
async function streamPart(server: S3Server, query: Record<string, string>, count: number): Promise<string | undefined> {
  const path = `/bucket/key`;
  const raw = { method: "PUT", path, query, payloadHash: "UNSIGNED-PAYLOAD" };
  const headers = { ...signedHeaders(server, raw), "content-length": String(count * piece.length) };
  return await new Promise((resolve, reject) => {
    const request = httpRequest({
      host: server.host,
      port: server.port,
      method: "PUT",
      path: `${path}?${queryText(query)}`,
      headers,
    });
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      resolve(response.headers.etag);
    });
    let left = count;
    const write = (): void => {
      while (left > 0) {
        left -= 1;
        if (!request.write(piece)) {
          request.once("drain", write);
          return;
        }
      }
      request.end();
    };
    write();
  });
}

test("256 MiB in parts leave their digests and no bytes", async () => {
  const { server, ask } = await startFixture({ discardBodies: true });
  const created = await ask("POST", "key", {
    query: { uploads: "" },
    headers: { "x-amz-checksum-algorithm": "CRC64NVME" },
  });
  const uploadId = element(created.text, "UploadId") ?? "";
  const parts: string[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (const partNumber of ["1", "2", "3", "4"]) {
    const etag = await streamPart(server, { partNumber, uploadId }, 64);
    parts.push(`<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`);
  }
  for (const part of [...server.uploads("bucket").values()].flatMap((upload) => [...upload.parts.values()])) {
    expect([part.bytes, part.data]).toEqual([64 * piece.length, undefined]);
  }
  // Held, they would be 256 MiB; what remains is what the collector has not looked at yet.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * 2 ** 20);
  const crc = new Crc64();
  for (let count = 0; count < 256; count += 1) crc.update(piece);
  const checksum = {
    "x-amz-checksum-crc64nvme": big64(crc.digest()),
    "x-amz-mp-object-size": String(256 * piece.length),
  };
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  const done = await ask("POST", "key", { query: { uploadId }, headers: checksum, body });
  expect([done.status, element(done.text, "ChecksumCRC64NVME")]).toEqual([200, big64(crc.digest())]);
  const head = await ask("HEAD", "key");
  expect([head.status, head.headers["content-length"]]).toEqual([200, String(256 * piece.length)]);
});

test("what has no bytes cannot be read, nor copied in part", async () => {
  const { server, ask } = await startFixture({ discardBodies: true });
  const put = await ask("PUT", "key", { body: "0123456789" });
  expect(put.headers["etag"]).toBe(`"${md5Hex("0123456789")}"`);
  const got = await ask("GET", "key");
  expect([got.status, got.code]).toEqual([501, "NotImplemented"]);
  expect((await ask("HEAD", "key")).headers["content-length"]).toBe("10");
  const source = { "x-amz-copy-source": "bucket/key" };
  const copied = await ask("PUT", "copy", { headers: source });
  expect([copied.status, element(copied.text, "ChecksumCRC64NVME")]).toEqual([
    200,
    big64(crc64Nvme(Buffer.from("0123456789"))),
  ]);
  expect(server.objects("bucket").get("copy")?.bytes).toBe(10);
  const sha = await ask("PUT", "copy", { headers: { ...source, "x-amz-checksum-algorithm": "SHA256" } });
  expect([sha.status, sha.code]).toEqual([501, "NotImplemented"]);
  const created = await ask("POST", "key", { query: { uploads: "" } });
  const query = { partNumber: "1", uploadId: element(created.text, "UploadId") ?? "" };
  expect(
    (await ask("PUT", "key", { query, headers: { ...source, "x-amz-copy-source-range": "bytes=0-3" } })).status,
  ).toBe(501);
  expect(
    (await ask("PUT", "key", { query, headers: { ...source, "x-amz-copy-source-range": "bytes=0-9" } })).status,
  ).toBe(200);
});

test("an empty object has all of its bytes", async () => {
  const { ask } = await startFixture({ discardBodies: true });
  await ask("PUT", "key", { body: "" });
  const got = await ask("GET", "key");
  expect([got.status, got.text]).toEqual([200, ""]);
});

test("documents are read all the same, and bodies are checked", async () => {
  const { ask, server } = await startFixture({ discardBodies: true });
  const wrong = await ask("PUT", "key", { body: "x", headers: { "x-amz-checksum-crc32": "AAAAAA==" } });
  expect(wrong.code).toBe("BadDigest");
  await ask("PUT", "key", { body: "x" });
  const body = "<Delete><Object><Key>key</Key></Object></Delete>";
  const md5 = createHash("md5").update(body).digest("base64");
  expect((await ask("POST", "", { query: { delete: "" }, headers: { "content-md5": md5 }, body })).status).toBe(200);
  expect(server.objects("bucket").size).toBe(0);
});

test("a checksum of all bytes that needs them is refused when the upload begins", async () => {
  const { ask } = await startFixture({ discardBodies: true });
  const headers = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" };
  expect((await ask("POST", "key", { query: { uploads: "" }, headers })).status).toBe(501);
  expect(
    (await ask("POST", "key", { query: { uploads: "" }, headers: { "x-amz-checksum-algorithm": "CRC32" } })).status,
  ).toBe(200);
});
