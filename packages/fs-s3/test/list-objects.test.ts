// Goal: listings come whole, below the prefix, with names as they were given.
// Method: a server that remembers requests and plays pages in the form that AWS documents.
import { describe, expect, test } from "vitest";
import { call } from "./driver-under-test.ts";
import { date, scriptedDriver, xml } from "./scripted-driver.ts";

const scripted = scriptedDriver();

describe("listings", () => {
  test("a page with folders, from a place on", async () => {
    await scripted.open({ prefix: "p q" });
    scripted.server.play(
      xml(
        `<ListBucketResult><Name>logs</Name><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>` +
          `<NextContinuationToken>t+1/=</NextContinuationToken>` +
          `<Contents><Key>p+q/</Key><LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>"v"</ETag><Size>0</Size></Contents>` +
          `<Contents><Key>p+q/x/a%2Bb</Key><LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>&quot;v&quot;</ETag><Size>3</Size></Contents>` +
          `<CommonPrefixes><Prefix>p+q/x/f/</Prefix></CommonPrefixes></ListBucketResult>`,
      ),
    );
    const request = { prefix: "x/", startAfter: "x/a", delimiter: "/", pageSize: 7 } as const;
    expect(await scripted.driver.listPage({ ...request, pageToken: undefined }, call())).toEqual({
      objects: [{ key: "x/a+b", size: 3, version: "v", lastModifiedMs: Date.parse(date) }],
      prefixes: ["x/f/"],
      nextPageToken: "t+1/=",
    });
    const query = (): Record<string, string> =>
      Object.fromEntries(new URL(scripted.sent().target, "http://x").searchParams);
    expect(query()).toEqual({
      "list-type": "2",
      prefix: "p q/x/",
      "start-after": "p q/x/a",
      delimiter: "/",
      "max-keys": "7",
      "encoding-type": "url",
    });
    scripted.server.play(xml("<ListBucketResult><Name>logs</Name><IsTruncated>false</IsTruncated></ListBucketResult>"));
    await scripted.driver.listPage({ ...request, pageToken: "t+1/=" }, call());
    expect(query()).toMatchObject({ "continuation-token": "t+1/=" });
    expect(query()).not.toHaveProperty("start-after");
  });

  test("a server that does not escape names", async () => {
    scripted.server.play(
      xml(
        `<ListBucketResult><Name>logs</Name><IsTruncated>false</IsTruncated><Contents><Key>a+b%20</Key>` +
          `<LastModified>2026-12-01T00:00:00.000Z</LastModified><ETag>v</ETag><Size>3</Size></Contents></ListBucketResult>`,
      ),
    );
    const request = { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 7, pageToken: undefined };
    expect((await scripted.driver.listPage(request, call())).objects[0]?.key).toBe("a+b%20");
  });

  test("uploads under way, page by page", async () => {
    scripted.server.play(
      xml(
        `<ListMultipartUploadsResult><Bucket>logs</Bucket><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>` +
          `<NextKeyMarker>a%2Bb</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>` +
          `<Upload><Key>a%2Bb</Key><UploadId>u1</UploadId><Initiated>2026-12-01T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>`,
      ),
    );
    const page = await scripted.driver.listUploadsPage?.({ prefix: "a", pageToken: undefined }, call());
    expect(page?.uploads).toEqual([{ key: "a+b", uploadId: "u1", startedMs: Date.parse(date) }]);
    scripted.server.play(
      xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"),
    );
    expect(await scripted.driver.listUploadsPage?.({ prefix: "a", pageToken: page?.nextPageToken }, call())).toEqual({
      uploads: [],
      nextPageToken: undefined,
    });
    const { searchParams } = new URL(scripted.sent().target, "http://x");
    expect([searchParams.get("key-marker"), searchParams.get("upload-id-marker")]).toEqual(["a+b", "u1"]);
  });
});
