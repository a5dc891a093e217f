// Goal: every form of an Azure URL opens a driver for the same place, and settings that contradict it are refused.
// Method: URLs through the registry's parser; the driver says what it opened, and nothing is sent.
import { parseStoreUrl, systemClock, systemRandom } from "@varve/fs-core";
import { expect, test } from "vitest";
import { storeBackend } from "./backend.ts";

const parts = { clock: systemClock, random: systemRandom };
const accountKey = Buffer.from("a key of this test").toString("base64");

test.each([
  ["az://lake1/logs/a/b"],
  ["adls://lake1.dfs.core.windows.net/logs/a/b"],
  ["abfss://logs@lake1.dfs.core.windows.net/a/b"],
])("%s", async (url) => {
  const driver = await storeBackend.open(parseStoreUrl(url), { accountKey, hierarchicalNamespace: true }, parts);
  expect(driver.url).toBe("az://lake1/logs/a/b");
  expect(driver.capabilities.rename).toBe(true);
  expect(driver.capabilities.limits.keyBytesMax).toBe(1020);
  await driver.close();
});

test("the container's root, and a folder with a strange name", async () => {
  const root = await storeBackend.open(parseStoreUrl("az://lake1/logs"), { accountKey }, parts);
  expect([root.url, root.capabilities.rename]).toEqual(["az://lake1/logs", false]);
  const folder = await storeBackend.open(parseStoreUrl("az://lake1/logs/a%20b"), { accountKey }, parts);
  expect(folder.url).toBe("az://lake1/logs/a%20b");
  await Promise.all([root.close(), folder.close()]);
});

test.each<[string, Record<string, unknown>, string]>([
  ["what the URL says", { accountKey, account: "lake1", prefix: "x" }, "account, prefix"],
  ["unknown settings", { accountKey, acount: 1 }, "did you mean account?"],
  ["no credential", {}, "exactly one of"],
  [
    "a connection string of another account",
    { connectionString: `AccountName=lake2;AccountKey=${accountKey}` },
    "another account",
  ],
])("refuses %s", async (_, settings, words) => {
  const opening = storeBackend.open(parseStoreUrl("az://lake1/logs"), settings, parts);
  await expect(opening).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(words) });
});
