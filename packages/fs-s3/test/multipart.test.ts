// Goal: an upload in parts is checked end to end, and nothing is completed that cannot be right.
// Method: a server that remembers requests and plays answers in the form that AWS documents.
import { crc64Combine, crc64Nvme } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { checksumText } from "../src/checksum-text.ts";
import { call, info, plainPut } from "./driver-under-test.ts";
import { bytes, found, scriptedDriver, xml } from "./scripted-driver.ts";
import type { ScriptedAnswer } from "./scripted-server.ts";

const scripted = scriptedDriver();

const checksum = crc64Nvme(bytes);

describe("uploads in parts", () => {
  const first = { number: 1, size: 4, tag: '"p1"', checksum: crc64Nvme(bytes.subarray(0, 4)) };
  const second = { number: 2, size: 6, tag: '"p2"', checksum: crc64Nvme(bytes.subarray(4)) };
  const done = (text: string): ScriptedAnswer =>
    xml(
      `<CompleteMultipartUploadResult><ETag>&quot;v-2&quot;</ETag><ChecksumCRC64NVME>${text}</ChecksumCRC64NVME></CompleteMultipartUploadResult>`,
    );

  test("begun with the kind of checksum", async () => {
    scripted.server.play(
      xml("<InitiateMultipartUploadResult><UploadId>a+b/c</UploadId></InitiateMultipartUploadResult>"),
    );
    expect(await scripted.driver.beginUpload("k", { ...plainPut, metadata: { a: "b" } }, call())).toBe("a+b/c");
    expect(scripted.sent().headers).toMatchObject({
      "x-amz-checksum-algorithm": "CRC64NVME",
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-meta-a": "b",
    });
  });

  test("a part with its checksum", async () => {
    scripted.server.play({
      status: 200,
      headers: { etag: '"p1"', "x-amz-checksum-crc64nvme": checksumText(first.checksum) },
    });
    const part = { number: 1, offset: 0, bytes: bytes.subarray(0, 4), checksum: first.checksum, isLast: false };
    expect(await scripted.driver.uploadPart("k", "a+b/c", part, call())).toEqual(first);
    const { target, headers, body } = scripted.sent();
    expect(new URL(target, "http://x").searchParams.get("uploadId")).toBe("a+b/c");
    expect(new URL(target, "http://x").searchParams.get("partNumber")).toBe("1");
    expect(headers["x-amz-checksum-crc64nvme"]).toBe(checksumText(first.checksum));
    expect(body.toString()).toBe("0123");
  });

  test("a part from another object", async () => {
    scripted.server.play(xml(`<CopyPartResult><ETag>"p2"</ETag></CopyPartResult>`));
    const part = { number: 2, from: { ...info, key: "a b" }, offset: 4, size: 6 };
    expect(await scripted.driver.uploadPartCopy?.("k", "u", part, call())).toEqual({
      number: 2,
      size: 6,
      tag: '"p2"',
      checksum: undefined,
    });
    expect(scripted.sent().headers).toMatchObject({
      "x-amz-copy-source": "logs/a%20b",
      "x-amz-copy-source-if-match": '"v1"',
      "x-amz-copy-source-range": "bytes=4-9",
    });
  });

  test("completed with the whole's checksum, put together from the parts'", async () => {
    const whole = crc64Combine(first.checksum, second.checksum, second.size);
    expect(whole).toBe(checksum);
    scripted.server.play(done(checksumText(whole)));
    const complete = { ...plainPut, size: 10, ifAbsent: true };
    expect(await scripted.driver.completeUpload("k", "u", [first, second], complete, call())).toEqual({
      version: "v-2",
    });
    const { headers, body } = scripted.sent();
    expect(headers).toMatchObject({
      "if-none-match": "*",
      "x-amz-checksum-crc64nvme": checksumText(checksum),
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-mp-object-size": "10",
    });
    expect(body.toString().replaceAll(/\s+/g, "")).toContain(
      `<ETag>"p1"</ETag>`.replaceAll('"', body.includes("&quot;") ? "&quot;" : '"'),
    );
    expect(body.toString().match(/<PartNumber>(\d)<\/PartNumber>/g)).toHaveLength(2);
  });

  test("parts that do not make the whole are not completed; a store that made another is not believed", async () => {
    scripted.server.play(done(checksumText(5n)));
    await expect(
      scripted.driver.completeUpload("k", "u", [first, second], { ...plainPut, checksum: 5n, size: 10 }, call()),
    ).rejects.toMatchObject({ code: "CORRUPT", outcome: "none" });
    expect(scripted.server.requests.length).toBe(0);
    await expect(
      scripted.driver.completeUpload("k", "u", [first, second], { ...plainPut, size: 10 }, call()),
    ).rejects.toMatchObject({ code: "CORRUPT", outcome: "unknown" });
  });

  test("without checksums of the store, none is sent", async () => {
    await scripted.open({ checksumMode: "metadata" });
    scripted.server.play(xml(`<CompleteMultipartUploadResult><ETag>"v-2"</ETag></CompleteMultipartUploadResult>`));
    await scripted.driver.completeUpload("k", "u", [first, second], { ...plainPut, checksum, size: 10 }, call());
    const { headers, body } = scripted.sent();
    expect(Object.keys(headers).filter((name) => /checksum|mp-object-size/.test(name))).toEqual([]);
    expect(body.toString()).not.toContain("CRC64");
  });

  const nameless = xml("<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>");
  const complete = { ...plainPut, metadata: { a_b: "c d" }, size: 10 };

  test("completed without an ETag: a look at the object tells the version", async () => {
    await scripted.open({ checksumMode: "metadata" });
    scripted.server.play(nameless, found);
    expect(await scripted.driver.completeUpload("k", "u", [first, second], complete, call())).toEqual({
      version: "v1",
    });
    expect(scripted.server.requests.map(({ method }) => method)).toEqual(["POST", "HEAD"]);
  });

  test("completed without an ETag: that the object lacks the checksum that came later does not make it another's", async () => {
    await scripted.open({ checksumMode: "metadata" });
    scripted.server.play(nameless, found);
    const late = { ...complete, metadata: { a_b: "c d", sum: "00000000000000ff" }, checksum: 255n };
    expect(await scripted.driver.completeUpload("k", "u", [{ ...first, checksum: undefined }], late, call())).toEqual({
      version: "v1",
    });
  });

  test.for([
    ["another's object", { ...found, headers: { ...found.headers, "x-amz-meta-a_b": "other" } }],
    ["no object", { status: 404 }],
    ["no answer", { status: 503 }],
  ] as const)("completed without an ETag, and then there is %s: not known", async ([, answer]) => {
    await scripted.open({ checksumMode: "metadata" });
    scripted.server.play(nameless, answer);
    await expect(scripted.driver.completeUpload("k", "u", [first, second], complete, call())).rejects.toMatchObject({
      code: "UNAVAILABLE",
      outcome: "unknown",
      key: "k",
      operation: "completeUpload",
    });
  });

  test("dropped, and dropped again", async () => {
    scripted.server.play({ status: 204 }, { ...xml("<Error><Code>NoSuchUpload</Code></Error>"), status: 404 });
    await scripted.driver.abortUpload("k", "u", call());
    await scripted.driver.abortUpload("k", "u", call());
  });
});
