// Goal: settings are checked whole, defaults follow the endpoint, and no check repeats a secret.
// Method: tables of good and bad input; the environment is a parameter.
import { S3Client } from "@aws-sdk/client-s3";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { resolveS3Settings } from "./s3-settings.ts";

const resolve = (input: unknown, environment: NodeJS.ProcessEnv = {}): ReturnType<typeof resolveS3Settings> =>
  resolveS3Settings(input, environment);

function problemsOf(input: unknown): string {
  try {
    resolve(input);
  } catch (error) {
    expect(error).toMatchObject({ name: "StoreError", code: "INVALID_ARGUMENT", retryable: false, outcome: "none" });
    return (error as Error).message;
  }
  throw new Error("was accepted");
}

test("AWS: the SDK finds region and credentials, the store keeps checksums", () => {
  expect(resolve({ bucket: "logs" })).toEqual({
    bucket: "logs",
    prefix: "",
    connection: {
      kind: "own",
      region: undefined,
      endpoint: undefined,
      forcePathStyle: false,
      credentials: undefined,
      maxSockets: 64,
    },
    isCustomEndpoint: false,
    checksumMode: "store",
    etagQuotes: "quoted",
    conditions: {
      putIfAbsent: true,
      completeIfAbsent: true,
      copyIfAbsent: true,
      putIfMatch: true,
      completeIfMatch: true,
      deleteIfMatch: true,
    },
    isExpress: false,
    storageClass: undefined,
    serverSideEncryption: undefined,
    kmsKeyId: undefined,
  });
});

test("conditions: what is not named is kept; uploads match as puts do, unless told", () => {
  const conditions = (given: unknown): unknown => resolve({ bucket: "logs", conditions: given }).conditions;
  expect(conditions({ copyIfAbsent: false })).toMatchObject({ copyIfAbsent: false, putIfAbsent: true });
  expect(conditions({ putIfMatch: false })).toMatchObject({ putIfMatch: false, completeIfMatch: false });
  expect(conditions({ completeIfMatch: false })).toMatchObject({ putIfMatch: true, completeIfMatch: false });
  expect(problemsOf({ bucket: "logs", conditions: { putIfMach: false, deleteIfMatch: "no" } })).toMatch(
    /conditions\.putIfMach: not known; did you mean putIfMatch\?; conditions\.deleteIfMatch: want true or false/,
  );
  expect(problemsOf({ bucket: "logs", conditions: ["putIfMatch"] })).toContain("conditions: want an object");
});

test("another endpoint: path style, a region for the signature, checksums in metadata", () => {
  const settings = resolve({ bucket: "logs", prefix: "a/b", endpoint: "http://127.0.0.1:9000/" });
  expect(settings).toMatchObject({
    prefix: "a/b/",
    connection: { region: "us-east-1", endpoint: "http://127.0.0.1:9000", forcePathStyle: true },
    checksumMode: "metadata",
  });
  expect(resolve({ bucket: "logs", endpoint: "http://x" }, { AWS_REGION: "eu-1" }).connection).toMatchObject({
    region: "eu-1",
  });
});

test.for([
  [{ AWS_ENDPOINT_URL: "http://one" }, "http://one"],
  [{ AWS_ENDPOINT_URL: "http://one", AWS_ENDPOINT_URL_S3: "http://two" }, "http://two"],
  [{ AWS_ENDPOINT_URL: "http://one", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }, undefined],
  [{ AWS_ENDPOINT_URL: "" }, undefined],
] as const)("the endpoint of the environment: %o", ([environment, endpoint]) => {
  const { connection, isCustomEndpoint } = resolve({ bucket: "logs" }, environment);
  expect(connection).toMatchObject({ endpoint });
  expect(isCustomEndpoint).toBe(endpoint !== undefined);
});

test.for([
  [{}, "bucket: want the bucket's name"],
  [null, "bucket: want the bucket's name"],
  [{ bucket: "Has Capitals" }, "bucket: want 3 to 63"],
  [{ bucket: "logs", buckett: 1 }, "buckett: not known; did you mean bucket?"],
  [{ bucket: "logs", endPoint: "http://x" }, "endPoint: not known; did you mean endpoint?"],
  [{ bucket: "logs", colour: "red" }, "colour: not known; known are bucket, "],
  [{ bucket: "logs", prefix: "/a" }, "prefix: want a folder"],
  [{ bucket: "logs", prefix: "a/../b" }, "prefix: want a folder"],
  [{ bucket: "logs", prefix: "é".repeat(257) }, "prefix: want a folder"],
  [{ bucket: "logs", region: "eu west" }, "region: want a region's name"],
  [{ bucket: "logs", endpoint: "ftp://x" }, "endpoint: want an http or https URL"],
  [{ bucket: "logs", endpoint: "http://x/?a=b" }, "endpoint: want an http or https URL"],
  [{ bucket: "logs", forcePathStyle: "yes" }, "forcePathStyle: want true or false"],
  [{ bucket: "logs", checksumMode: "crc" }, "checksumMode: want store or metadata"],
  [{ bucket: "logs", etagQuotes: "single" }, "etagQuotes: want quoted or bare"],
  [{ bucket: "logs", maxSockets: 0 }, "maxSockets: want a whole number"],
  [{ bucket: "logs", storageClass: "DEEP_ARCHIVE" }, "storageClass: objects of an archive class"],
  [{ bucket: "logs", serverSideEncryption: "rot13" }, "serverSideEncryption: want AES256"],
  [{ bucket: "logs", kmsKeyId: "key" }, "kmsKeyId: want serverSideEncryption"],
  [{ bucket: "logs", credentials: {} }, "credentials: want accessKeyId"],
  [
    { bucket: "logs", credentials: { accessKeyId: "a", secretAccessKey: "b", sessiontoken: "c" } },
    "credentials.sessiontoken: not known; did you mean sessionToken?",
  ],
  [{ bucket: "logs", client: {} }, "client: want an S3Client"],
  [{ bucket: "logs--use1-az4--x-s3", express: false }, "express: a name that ends in --x-s3 says true"],
] as const)("refuses %o", ([input, problem]) => expect(problemsOf(input)).toContain(problem));

test("every problem is told at once", () => {
  const message = problemsOf({ bucket: "", maxSockets: -1, express: 1, rejion: "x" });
  for (const name of ["bucket", "maxSockets", "express", "region"]) expect(message).toContain(name);
});

test("a directory bucket is known by its name, or by word", () => {
  expect(resolve({ bucket: "logs--use1-az4--x-s3" }).isExpress).toBe(true);
  expect(resolve({ bucket: "logs", express: true }).isExpress).toBe(true);
});

test("a client of the caller's brings its endpoint, and settings that it would ignore are refused", () => {
  const client = new S3Client({ region: "us-east-1", endpoint: "http://127.0.0.1:1" });
  try {
    expect(resolve({ bucket: "logs", client })).toMatchObject({ isCustomEndpoint: true, checksumMode: "metadata" });
    expect(problemsOf({ bucket: "logs", client, region: "eu-1", maxSockets: 3 })).toMatch(/region: .*; maxSockets: /);
  } finally {
    client.destroy();
  }
});

test("no secret is shown, by settings or by their refusal", async () => {
  const credentials = { accessKeyId: "AKIACANARY", secretAccessKey: "CANARY-secret", sessionToken: "CANARY-token" };
  const settings = resolve({ bucket: "logs", credentials });
  expect(inspect(settings, { depth: 12, showHidden: true }) + JSON.stringify(settings)).not.toContain("CANARY");
  const { connection } = settings;
  expect(connection.kind === "own" && (await connection.credentials?.())).toEqual(credentials);
  const message = problemsOf({
    bucket: "logs",
    credentials: { ...credentials, sessionToken: 5 },
    endpoint: "https://CANARY:CANARY@host",
  });
  expect(message).not.toContain("CANARY");
});
