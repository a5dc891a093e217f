// Goal: what is missing before a request can be signed is said, and nothing counts as sent.
// Method: an environment without credentials and region; providers that give nothing of use.
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { createS3Driver, type S3Settings } from "../src/index.ts";
import { call, driverAt } from "./driver-under-test.ts";
import { found, xml } from "./scripted-driver.ts";
import { startScriptedServer } from "./scripted-server.ts";

const server = await startScriptedServer();
afterAll(() => server.close());
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", "/no/such/file");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file");
  server.play(found);
});
afterEach(() => vi.unstubAllEnvs());

async function putError(settings: S3Settings): Promise<unknown> {
  const driver = createS3Driver(settings);
  try {
    return await driver.put("k", new Uint8Array(1), { metadata: {}, contentType: "a/b", checksum: 0n }, call());
  } catch (error) {
    expect(server.requests.length).toBe(0);
    return error;
  } finally {
    await driver.close();
  }
}

test("no region", async () => {
  expect(await putError({ bucket: "logs" })).toMatchObject({
    code: "INVALID_ARGUMENT",
    outcome: "none",
    message: expect.stringContaining("set region, or AWS_REGION"),
  });
});

test("no credentials anywhere", async () => {
  expect(await putError({ bucket: "logs", endpoint: server.url })).toMatchObject({
    code: "UNAUTHENTICATED",
    outcome: "none",
    retryable: false,
  });
});

test.for([undefined, {}, { accessKeyId: "a" }])("a provider that gives %o", async (given) => {
  const credentials = async (): Promise<never> => given as never;
  expect(await putError({ bucket: "logs", endpoint: server.url, credentials })).toMatchObject({
    code: "UNAUTHENTICATED",
    outcome: "none",
  });
});

test("a provider is asked again before its keys expire, and not otherwise", async () => {
  let asked = 0;
  const lasting = driverAt(server.url, {
    credentials: async () => ({ accessKeyId: `A${++asked}`, secretAccessKey: "s", expiration: new Date("2100-01-01") }),
  });
  await lasting.head("k", call());
  await lasting.head("k", call());
  expect(asked).toBe(1);
  await lasting.close();
  asked = 0;
  server.play(found);
  const expired = driverAt(server.url, {
    credentials: async () => ({ accessKeyId: `A${++asked}`, secretAccessKey: "s", expiration: new Date("2000-01-01") }),
  });
  await expired.head("k", call());
  await expired.head("k", call());
  expect(asked).toBeGreaterThanOrEqual(2);
  expect(server.requests.at(-1)?.headers["authorization"]).toContain(`Credential=A${asked}/`);
  await expired.close();
});

test("after a clock that was wrong, the next request is signed with the store's time", async () => {
  const driver = driverAt(server.url);
  server.play(
    {
      ...xml("<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2020-01-01T00:00:00Z</ServerTime></Error>"),
      status: 403,
    },
    found,
  );
  await expect(driver.get("k", {}, call())).rejects.toMatchObject({ code: "UNAUTHENTICATED", retryable: true });
  await driver.head("k", call());
  expect(server.requests.at(-1)?.headers["x-amz-date"]).toMatch(/^20200101T0000/);
  await driver.close();
});
