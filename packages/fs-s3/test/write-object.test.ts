// Goal: puts, copies and deletions carry bytes, conditions, metadata and checksums, and doubt what does not fit.
// Method: a server that remembers requests and plays answers in the form that AWS documents.
import { crc64Nvme } from "@varve/fs-core";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checksumText } from "../src/checksum-text.ts";
import { call, info, plainPut } from "./driver-under-test.ts";
import { bytes, found, scriptedDriver, xml } from "./scripted-driver.ts";
import type { ScriptedAnswer } from "./scripted-server.ts";

const scripted = scriptedDriver();

const checksum = crc64Nvme(bytes);
const kept: ScriptedAnswer = { status: 200, headers: { etag: '"v1"' } };

describe("put, copy, delete", () => {
  test("bytes, metadata, condition and checksum", async () => {
    scripted.server.play({ ...kept, headers: { ...kept.headers, "x-amz-checksum-crc64nvme": checksumText(checksum) } });
    const put = { metadata: { varve_put_id: "7f" }, contentType: "text/plain", checksum, ifAbsent: true };
    expect(await scripted.driver.put("k", bytes, put, call())).toEqual({ version: "v1" });
    const { method, headers, body } = scripted.sent();
    expect(method).toBe("PUT");
    expect(body.equals(bytes)).toBe(true);
    expect(headers).toMatchObject({
      "content-length": "10",
      "content-type": "text/plain",
      "if-none-match": "*",
      "x-amz-meta-varve_put_id": "7f",
      "x-amz-checksum-crc64nvme": checksumText(checksum),
      "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex"),
    });
    expect(headers["expect"]).toBeUndefined();
    expect(Object.keys(headers).filter((name) => name.startsWith("x-amz-checksum"))).toHaveLength(1);
  });

  test("no bytes, and no checksum in the mode without", async () => {
    await scripted.open({ checksumMode: "metadata" });
    scripted.server.play(kept);
    await scripted.driver.put("k", new Uint8Array(0), { ...plainPut, checksum: 0n, ifMatch: "v0" }, call());
    const { headers, body } = scripted.sent();
    expect(headers).toMatchObject({ "content-length": "0", "if-match": '"v0"' });
    expect(body.byteLength).toBe(0);
    expect(Object.keys(headers).filter((name) => name.includes("checksum"))).toEqual([]);
    expect(scripted.driver.capabilities.checksum).toBe("none");
  });

  test("a view of a larger buffer is sent as that view", async () => {
    scripted.server.play(kept);
    await scripted.driver.put("k", new Uint8Array(new Uint8Array([1, 2, 3, 4, 5]).buffer, 1, 3), plainPut, call());
    expect([...scripted.sent().body]).toEqual([2, 3, 4]);
  });

  test("a store that kept other bytes", async () => {
    scripted.server.play({ ...kept, headers: { ...kept.headers, "x-amz-checksum-crc64nvme": checksumText(5n) } });
    await expect(scripted.driver.put("k", bytes, { ...plainPut, checksum }, call())).rejects.toMatchObject({
      code: "CORRUPT",
      outcome: "unknown",
    });
  });

  test("class and encryption, wherever an object begins", async () => {
    await scripted.open({ storageClass: "STANDARD_IA", serverSideEncryption: "aws:kms", kmsKeyId: "key-1" });
    const wanted = {
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    };
    scripted.server.play(kept);
    await scripted.driver.put("k", bytes, plainPut, call());
    expect(scripted.sent().headers).toMatchObject(wanted);
    scripted.server.play(xml("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"));
    await scripted.driver.beginUpload("k", plainPut, call());
    expect(scripted.sent().headers).toMatchObject(wanted);
    scripted.server.play(xml("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"));
    await scripted.driver.copy(info, "k", { ...plainPut, ifSourceMatch: "v1" }, call());
    expect(scripted.sent().headers).toMatchObject(wanted);
  });

  test("a copy replaces metadata, on conditions for both ends", async () => {
    scripted.server.play(
      xml(
        `<CopyObjectResult><ETag>&quot;v2&quot;</ETag><ChecksumCRC64NVME>${checksumText(7n)}</ChecksumCRC64NVME></CopyObjectResult>`,
      ),
    );
    const copy = { ...plainPut, metadata: { a: "b" }, ifSourceMatch: "v1", ifAbsent: true };
    expect(await scripted.driver.copy(info, "to", { ...copy, checksum: 7n }, call())).toEqual({ version: "v2" });
    expect(scripted.sent().headers).toMatchObject({
      "x-amz-copy-source": "logs/from",
      "x-amz-copy-source-if-match": '"v1"',
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-meta-a": "b",
      "content-type": "text/plain",
      "if-none-match": "*",
      "x-amz-checksum-algorithm": "CRC64NVME",
    });
    await expect(scripted.driver.copy(info, "to", { ...copy, checksum: 8n }, call())).rejects.toMatchObject({
      code: "CORRUPT",
    });
  });

  test.for([
    ["an object is there", found, "ALREADY_EXISTS"],
    ["the source is another version", { ...found, headers: { ...found.headers, etag: '"v2"' } }, "VERSION_MISMATCH"],
    ["the source is gone", { status: 404 }, "NOT_FOUND"],
    ["that cannot be told", { status: 503 }, "UNAVAILABLE"],
  ] as const)("a copy that is refused without a word on which condition: %s", async ([, source, code]) => {
    scripted.server.play({ ...xml("<Error><Code>PreconditionFailed</Code></Error>"), status: 412 }, source);
    const copying = scripted.driver.copy(info, "to", { ...plainPut, ifSourceMatch: "v1", ifAbsent: true }, call());
    await expect(copying).rejects.toMatchObject({ code, outcome: "none" });
    expect(scripted.server.requests.map(({ method, target }) => [method, target.split("?")[0]])).toEqual([
      ["PUT", "/logs/to"],
      ["HEAD", "/logs/from"],
    ]);
  });

  test("a deletion, on a condition or not; nothing there is fine", async () => {
    scripted.server.play({ status: 204 });
    await scripted.driver.delete("k", { ifMatch: "v1" }, call());
    expect(scripted.sent()).toMatchObject({ method: "DELETE", headers: { "if-match": '"v1"' } });
    scripted.server.play({ ...xml("<Error><Code>NoSuchKey</Code></Error>"), status: 404 });
    await scripted.driver.delete("k", {}, call());
  });

  test("a page of somebody else is no deletion", async () => {
    scripted.server.play({ status: 200, headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" });
    const doubtful = { code: "UNAVAILABLE", outcome: "unknown" };
    await expect(scripted.driver.delete("k", {}, call())).rejects.toMatchObject(doubtful);
    await expect(scripted.driver.delete("k", { ifMatch: "v1" }, call())).rejects.toMatchObject(doubtful);
    await expect(scripted.driver.abortUpload("k", "u", call())).rejects.toMatchObject(doubtful);
    await expect(scripted.driver.rename?.("k", "l", { ifAbsent: true }, call())).rejects.toMatchObject(doubtful);
    scripted.server.play({ status: 200, headers: { "x-amz-request-id": "R1" } });
    await scripted.driver.delete("k", {}, call());
  });

  test("many deletions: what failed is told, what was gone is not", async () => {
    await scripted.open({ prefix: "p" });
    scripted.server.play(
      xml(
        "<DeleteResult><Error><Key>p/a</Key><Code>AccessDenied</Code><Message>no</Message></Error>" +
          "<Error><Key>p/b</Key><Code>NoSuchKey</Code></Error>" +
          "<Error><Key>p/c</Key><Code>InternalError</Code></Error>" +
          "<Error><Key>p/d</Key><Code>SlowDown</Code></Error>" +
          "<Deleted><Key>p/e</Key></Deleted></DeleteResult>",
      ),
    );
    const failures = (await scripted.driver.deleteMany?.(["a", "b", "c", "d", "e"], call())) ?? [];
    expect(failures.map(({ key }) => key)).toEqual(["a", "c", "d"]);
    expect(failures.map(({ error }) => error)).toMatchObject([
      { code: "PERMISSION_DENIED", key: "a", outcome: "none" },
      { code: "UNAVAILABLE", outcome: "unknown" },
      { code: "THROTTLED", outcome: "unknown" },
    ]);
    const { target, headers, body } = scripted.sent();
    expect(target).toMatch(/^\/logs\/?\?delete=?$/);
    expect(body.toString()).toContain("<Quiet>false</Quiet>");
    expect(headers["content-md5"]).toBe(createHash("md5").update(body).digest("base64"));
  });

  test.for([
    ["an empty document", xml("<DeleteResult/>"), ["a ", "b"]],
    ["somebody else's document", xml("<html><body>Sign in</body></html>"), ["a ", "b"]],
    ["no document", { status: 200 }, ["a ", "b"]],
    ["a document that ends early", xml("<DeleteResult><Deleted><Key>a </Key></Deleted></DeleteResult>"), ["b"]],
  ] as const)("many deletions: %s does not say that all are deleted", async ([, answer, wanted]) => {
    scripted.server.play(answer);
    const failures = (await scripted.driver.deleteMany?.(["a ", "b"], call())) ?? [];
    expect(failures.map(({ key }) => key)).toEqual(wanted);
    for (const { error } of failures) expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
  });
});
