// Goal: what a driver is opened with decides what it can do, whom it asks, and what it closes.
// Method: a server that counts requests; clients of the caller's, good and bad.
import { S3Client } from "@aws-sdk/client-s3";
import { parseStoreUrl, systemClock, systemRandom } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { createS3Driver, storeBackend } from "../src/index.ts";
import { call } from "./driver-under-test.ts";
import { found, scriptedDriver, xml } from "./scripted-driver.ts";

const scripted = scriptedDriver();

describe("directory buckets", () => {
  test("what they can and cannot do", async () => {
    await scripted.open({ express: true });
    expect(scripted.driver.capabilities).toMatchObject({
      rename: true,
      uniqueVersions: true,
      orderedList: false,
      listAnyPrefix: false,
      listStartAfter: false,
    });
    const name = "logs--use1-az4--x-s3";
    expect(createS3Driver({ bucket: name, region: "us-east-1" }).capabilities.rename).toBe(true);
    expect(createS3Driver({ bucket: "logs", region: "us-east-1" }).capabilities).toMatchObject({
      rename: false,
      orderedList: true,
      checksum: "crc64nvme",
      limits: { objectBytesMax: 10_000 * 5 * 2 ** 30 },
    });
  });

  test("a rename, each under a name of its own", async () => {
    await scripted.open({ express: true, prefix: "p" });
    scripted.server.play({ status: 200, headers: { "x-amz-request-id": "R1" } });
    await scripted.driver.rename?.("a b", "c+d", { ifAbsent: true }, call());
    await scripted.driver.rename?.("a b", "c+d", { ifAbsent: false }, call());
    const [first, second] = scripted.server.requests;
    expect(first?.target).toMatch(/^\/logs\/p\/c%2Bd\?renameObject/);
    expect(first?.headers).toMatchObject({ "x-amz-rename-source": "p/a%20b", "if-none-match": "*" });
    expect(second?.headers["if-none-match"]).toBeUndefined();
    const tokens = [first, second].map((request) => request?.headers["x-amz-client-token"]);
    expect(tokens[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(tokens[0]).not.toBe(tokens[1]);
    scripted.server.play({ ...xml("<Error><Code>PreconditionFailed</Code></Error>"), status: 412 });
    await expect(scripted.driver.rename?.("a", "b", { ifAbsent: true }, call())).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      key: "b",
    });
  });
});

describe("a client of the caller's", () => {
  const config = {
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  } as const;

  test("is used, and stays open", async () => {
    const client = new S3Client({
      ...config,
      endpoint: scripted.server.url,
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    let isDestroyed = false;
    const destroy = client.destroy.bind(client);
    client.destroy = () => {
      isDestroyed = true;
      destroy();
    };
    const own = createS3Driver({ bucket: "logs", client });
    scripted.server.play(found);
    expect(await own.head("k", call())).toMatchObject({ size: 10 });
    await own.close();
    expect(isDestroyed).toBe(false);
    client.destroy();
  });

  test("is refused when it would retry or change what is sent", async () => {
    const client = new S3Client({ ...config, endpoint: scripted.server.url });
    const own = createS3Driver({ bucket: "logs", client });
    scripted.server.play(found);
    await expect(own.head("k", call())).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/maxAttempts.*requestChecksumCalculation.*responseChecksumValidation/),
    });
    expect(scripted.server.requests.length).toBe(0);
    client.destroy();
  });
});

describe("the registry's door", () => {
  const parts = { clock: systemClock, random: systemRandom };

  test("opens below the URL, and refuses what the URL says", async () => {
    const url = parseStoreUrl("s3://logs/a/b");
    const opened = await storeBackend.open(url, { region: "us-east-1" }, parts);
    expect(opened.url).toBe(url.href);
    await opened.close();
    await expect(storeBackend.open(url, { bucket: "other", prefix: "" }, parts)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("bucket, prefix"),
    });
    await expect(storeBackend.open(url, { regoin: "x" }, parts)).rejects.toMatchObject({
      message: expect.stringContaining("did you mean region?"),
    });
  });

  test("a closed driver sends nothing", async () => {
    scripted.server.play(found);
    await scripted.driver.close();
    await scripted.driver.close();
    await expect(scripted.driver.head("k", call())).rejects.toMatchObject({ code: "CLOSED" });
    expect(scripted.server.requests.length).toBe(0);
  });
});
