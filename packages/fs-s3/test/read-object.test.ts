// Goal: head and get ask for what they should, and take from the answer what it says.
// Method: a server that remembers requests and plays answers in the form that AWS documents.
import { crc64Nvme, createObjectStore } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { checksumText } from "../src/checksum-text.ts";
import { call } from "./driver-under-test.ts";
import { bytes, date, found, scriptedDriver } from "./scripted-driver.ts";
import type { ScriptedAnswer } from "./scripted-server.ts";

const scripted = scriptedDriver();
const checksum = crc64Nvme(bytes);

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

describe("head and get", () => {
  test("what is there", async () => {
    scripted.server.play(found);
    expect(await scripted.driver.head("k", call())).toEqual({
      key: "k",
      size: 10,
      version: "v1",
      lastModifiedMs: Date.parse(date),
      metadata: { a_b: "c d" },
      contentType: "text/plain",
      checksum: undefined,
    });
    expect(scripted.sent().headers["x-amz-checksum-mode"]).toBe("ENABLED");
  });

  test("what is not there", async () => {
    scripted.server.play({ status: 404 });
    expect(await scripted.driver.head("k", call())).toBeUndefined();
  });

  test("the store's checksum, unless it is one of checksums", async () => {
    const withChecksum = (text: string): ScriptedAnswer => ({
      ...found,
      headers: { ...found.headers, "x-amz-checksum-crc64nvme": text },
    });
    scripted.server.play(withChecksum(checksumText(checksum)));
    const body = await scripted.driver.get("k", {}, call());
    expect(body.info.checksum).toBe(checksum);
    expect(scripted.sent().headers["x-amz-checksum-mode"]).toBe("ENABLED");
    expect(scripted.sent().headers["authorization"]).toContain("x-amz-checksum-mode");
    scripted.server.play(withChecksum(`${checksumText(checksum)}-2`));
    expect((await scripted.driver.head("k", call()))?.checksum).toBeUndefined();
  });

  test("bytes as they are, with a checksum that does not fit them: that is for the engine to find", async () => {
    scripted.server.play({ ...found, headers: { ...found.headers, "x-amz-checksum-crc64nvme": checksumText(1n) } });
    const { chunks } = await scripted.driver.get("k", {}, call());
    expect(await textOf(chunks)).toBe("0123456789");
  });

  test("without checksums of the store, none is asked for", async () => {
    await scripted.open({ checksumMode: "metadata" });
    scripted.server.play(found);
    await scripted.driver.get("k", {}, call());
    expect(scripted.sent().headers["x-amz-checksum-mode"]).toBeUndefined();
  });

  test.for([
    [{ offset: 2, length: 3 }, "bytes=2-4", 2, 5],
    [{ offset: 2, length: 30 }, "bytes=2-31", 2, 10],
    [{ offset: 2 }, "bytes=2-", 2, 10],
    [{ suffixLength: 3 }, "bytes=-3", 7, 10],
    [{ suffixLength: 30 }, "bytes=-30", 0, 10],
  ] as const)("a range: %o", async ([range, header, offset, end]) => {
    const body = "0123456789".slice(offset, end);
    scripted.server.play({
      ...found,
      status: 206,
      headers: { ...found.headers, "content-range": `bytes ${offset}-${end - 1}/10` },
      body,
    });
    const answer = await scripted.driver.get("k", { range, ifMatch: "v1" }, call());
    expect(scripted.sent().headers).toMatchObject({ range: header, "if-match": '"v1"' });
    // What would come with it may be the checksum of a part.
    expect(scripted.sent().headers["x-amz-checksum-mode"]).toBeUndefined();
    expect(answer.range).toEqual({ offset, length: end - offset });
    expect(answer.info.size).toBe(10);
    expect(await textOf(answer.chunks)).toBe(body);
  });

  test.for([
    ["of other bytes", "bytes 0-2/10", "012"],
    ["of fewer bytes", "bytes 2-3/10", "23"],
    ["of more bytes", "bytes 2-9/10", "23456789"],
  ])("a part %s than were asked for is not taken for them", async ([, where = "", body = ""]) => {
    scripted.server.play({
      ...found,
      status: 206,
      headers: { ...found.headers, "content-range": where },
      body,
    });
    const closed = scripted.server.socketClosed();
    const reading = createObjectStore(scripted.driver).get("k", { range: { offset: 2, length: 3 } });
    await expect(reading).rejects.toMatchObject({ code: "IO", key: "k" });
    await closed;
  });

  test("another version than was asked for, of a cache that ignores the condition", async () => {
    scripted.server.play(found);
    const reading = createObjectStore(scripted.driver).get("k", { ifMatch: "v0" });
    await expect(reading).rejects.toMatchObject({ code: "VERSION_MISMATCH", key: "k" });
  });

  test("versions without quotes, for servers that compare them so", async () => {
    await scripted.open({ etagQuotes: "bare" });
    scripted.server.play(found);
    await scripted.driver.get("k", { ifMatch: "v1" }, call());
    expect(scripted.sent().headers["if-match"]).toBe("v1");
  });
});
