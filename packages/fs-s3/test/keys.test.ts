// Goal: a key of any letters reaches S3 escaped once, and comes back as it was.
// Method: a table of keys, in URLs, in headers that name a source, in listings and in deletions.
import { oddKeys } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { call, info, plainPut } from "./driver-under-test.ts";
import { date, found, scriptedDriver, xml } from "./scripted-driver.ts";

const scripted = scriptedDriver();

function inXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

describe("keys", () => {
  const keys = [
    ...oddKeys,
    "a b",
    "a+b",
    "50%",
    "%20",
    "a#b",
    "a?b",
    "a&b=c;d",
    "é/ü",
    "日本/語",
    "😀",
    "(a)'b'!*",
    '"<q>"',
    "k".repeat(1024),
    `${"é".repeat(511)}ab`,
  ];

  test.for(keys)("%s is escaped once in a URL, and in the name of a source", async (key) => {
    scripted.server.play(found);
    await scripted.driver.head(key, call());
    const { target } = scripted.sent();
    expect(target).toMatch(/^\/logs\/[A-Za-z0-9._~%/-]+$/);
    expect(decodeURIComponent(target)).toBe(`/logs/${key}`);
    scripted.server.play(xml("<CopyObjectResult><ETag>&quot;v2&quot;</ETag></CopyObjectResult>"));
    await scripted.driver.copy({ ...info, key }, "to", { ...plainPut, ifSourceMatch: "v1" }, call());
    const source = scripted.sent().headers["x-amz-copy-source"] ?? "";
    expect(source).toMatch(/^logs\/[A-Za-z0-9._~%/-]+$/);
    expect(decodeURIComponent(source)).toBe(`logs/${key}`);
  });

  test.for(keys)("%s comes back from a listing, and goes into a deletion", async (key) => {
    // As S3 escapes names: a space is a plus.
    const escaped = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
    scripted.server.play(
      xml(
        `<ListBucketResult><Name>logs</Name><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Contents>` +
          `<Key>${escaped}</Key><LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>"v1"</ETag><Size>10</Size>` +
          `</Contents></ListBucketResult>`,
      ),
    );
    const page = await scripted.driver.listPage(
      { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined },
      call(),
    );
    expect(page.objects).toEqual([{ key, size: 10, version: "v1", lastModifiedMs: Date.parse(date) }]);
    const told = [key, "other"].map((name) => `<Deleted><Key>${inXml(name)}</Key></Deleted>`);
    scripted.server.play(xml(`<DeleteResult>${told.join("")}</DeleteResult>`));
    expect(await scripted.driver.deleteMany?.([key, "other"], call())).toEqual([]);
    const text = scripted
      .sent()
      .body.toString()
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll(/&apos;|&#39;/g, "'")
      .replaceAll("&amp;", "&");
    expect(text).toContain(`<Key>${key}</Key>`);
  });

  test("a prefix lies before every key, and counts towards the longest", async () => {
    await scripted.open({ prefix: "a b/c" });
    expect(scripted.driver.url).toBe("s3://logs/a%20b/c");
    expect(scripted.driver.capabilities.limits.keyBytesMax).toBe(1024 - 6);
    scripted.server.play(found);
    await scripted.driver.head("k", call());
    expect(scripted.sent().target).toBe("/logs/a%20b/c/k");
  });
});
