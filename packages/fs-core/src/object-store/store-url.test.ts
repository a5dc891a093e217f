// Goal: every form of storage URL means one place; everything else is refused, without repeating what may be a secret.
// Method: tables.
import { expect, test } from "vitest";
import { isStoreError } from "./store-error.ts";
import { parseStoreUrl, storeSchemes } from "./store-url.ts";

test.each([
  [
    "file:///mnt/nvme1/component",
    { backend: "local", path: "/mnt/nvme1/component", href: "file:///mnt/nvme1/component" },
  ],
  ["file:///mnt/with%20space/", { backend: "local", path: "/mnt/with space", href: "file:///mnt/with%20space" }],
  ["file://localhost/data", { backend: "local", path: "/data" }],
  ["file:///C:/data", { backend: "local", path: "C:/data" }],
  ["memory://name/component", { backend: "memory", bucket: "name", path: "component" }],
  ["s3://bucket1/component", { backend: "s3", bucket: "bucket1", path: "component", href: "s3://bucket1/component" }],
  ["s3://bucket1", { backend: "s3", bucket: "bucket1", path: "", href: "s3://bucket1" }],
  ["s3://bucket1/", { path: "", href: "s3://bucket1" }],
  ["s3://bucket--use1-az4--x-s3/a/b", { bucket: "bucket--use1-az4--x-s3", path: "a/b" }],
  ["gcs://bucket/component", { backend: "gcs", bucket: "bucket", path: "component", href: "gs://bucket/component" }],
  ["gs://bucket.example.com/a%2Bb/é", { backend: "gcs", path: "a+b/é", href: "gs://bucket.example.com/a%2Bb/%C3%A9" }],
  [
    "adls://account.dfs.core.windows.net/container/component",
    {
      backend: "azure",
      account: "account",
      host: "account.dfs.core.windows.net",
      bucket: "container",
      path: "component",
      href: "az://account/container/component",
    },
  ],
  [
    "abfss://container@account.dfs.core.windows.net/component/x",
    {
      backend: "azure",
      account: "account",
      bucket: "container",
      path: "component/x",
      href: "az://account/container/component/x",
    },
  ],
  ["az://account/container", { backend: "azure", account: "account", host: undefined, bucket: "container", path: "" }],
] as const)("%s", (url, wanted) => {
  expect(parseStoreUrl(url)).toMatchObject(wanted);
});

test("the form to show means the same place", () => {
  for (const url of [
    "file:///a b/ü",
    "s3://bucket/a b/%2525",
    "gcs://bucket/x",
    "adls://acc.dfs.core.windows.net/con/x y",
  ]) {
    const parsed = parseStoreUrl(url);
    expect(parseStoreUrl(parsed.href)).toEqual({ ...parsed, host: parseStoreUrl(parsed.href).host });
  }
});

test.each([
  "",
  "bucket/folder",
  "s3:/bucket",
  "s3://",
  "s3:///folder",
  "s3://UPPER/x",
  "s3://b/../x",
  "s3://bucket/a//b",
  "s3://bucket/a/%2e%2e/b",
  "s3://bucket/%zz",
  "s3://bucket/a\\b",
  "s3://bucket/a%00b",
  "http://bucket/x",
  "file://host/share",
  "file:///",
  "file:///a/../b",
  "az://account",
  "az://ACCOUNT/container",
  "az://account/c",
  "abfss://account.dfs.core.windows.net/x",
  "memory:///x",
])("%j is refused", (url) => {
  expect(() => parseStoreUrl(url)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
});

test("secrets are refused and not repeated", () => {
  for (const url of [
    "s3://AKIASECRET:canary-key@bucket/x",
    "s3://bucket/x?secretKey=canary-key",
    "az://account/container?sv=1&sig=canary-key",
    "gs://bucket/x#canary-key",
    "canary-key://bucket",
  ]) {
    try {
      parseStoreUrl(url);
      expect.unreachable(url);
    } catch (error) {
      expect(isStoreError(error) && error.code).toBe("INVALID_ARGUMENT");
      if (!url.startsWith("canary")) expect(String(error)).not.toContain("canary");
    }
  }
});

test("the schemes are those that users know", () => {
  for (const scheme of ["s3", "adls", "abfss", "az", "gcs", "gs", "file", "memory"])
    expect(storeSchemes).toContain(scheme);
});
