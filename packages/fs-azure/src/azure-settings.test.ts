// Goal: settings are checked whole, every problem is told at once, and no secret shows in what comes out.
// Method: tables of inputs with the words that the answer must hold; dumps of the result searched for canaries.
import { inspect } from "node:util";
import { isStoreError } from "@varve/fs-core";
import { expect, test } from "vitest";
import { type ResolvedAzureSettings, resolveAzureSettings } from "./azure-settings.ts";

const key = Buffer.from("canary-of-the-account-key").toString("base64");
const sas = "sv=2024-11-04&sp=rl&sig=canary%2Bsignature";
const base = { account: "lake1", container: "logs", accountKey: key };
const credential = { getToken: async () => ({ token: "canary-token", expiresOnTimestamp: 0 }) };

function problemsOf(input: unknown): string {
  try {
    resolveAzureSettings(input);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    expect(error.code).toBe("INVALID_ARGUMENT");
    return error.message;
  }
  return "none";
}

test.each<[string, unknown, Partial<ResolvedAzureSettings>]>([
  ["the public cloud", base, { endpoint: "https://lake1.blob.core.windows.net", prefix: "", dfsEndpoint: undefined }],
  ["a folder", { ...base, prefix: "a/b" }, { prefix: "a/b/" }],
  ["an emulator", { ...base, endpoint: "http://127.0.0.1:10000/lake1/" }, { endpoint: "http://127.0.0.1:10000/lake1" }],
  [
    "a hierarchical namespace",
    { ...base, hierarchicalNamespace: true },
    { dfsEndpoint: "https://lake1.dfs.core.windows.net" },
  ],
  [
    "a connection string with a key",
    {
      container: "logs",
      connectionString: `DefaultEndpointsProtocol=https;AccountName=lake2;AccountKey=${key};EndpointSuffix=core.chinacloudapi.cn`,
    },
    { account: "lake2", endpoint: "https://lake2.blob.core.chinacloudapi.cn" },
  ],
  [
    "a connection string with a signature",
    {
      container: "logs",
      connectionString: `BlobEndpoint=https://lake3.blob.core.windows.net/;SharedAccessSignature=${sas}`,
    },
    { account: "lake3", endpoint: "https://lake3.blob.core.windows.net" },
  ],
  [
    "the development storage",
    { container: "logs", connectionString: "UseDevelopmentStorage=true" },
    { account: "devstoreaccount1", endpoint: "http://127.0.0.1:10000/devstoreaccount1" },
  ],
  ["settings that are undefined", { ...base, sasToken: undefined, connectionsMax: 8 }, { connectionsMax: 8 }],
])("%s", (_, input, expected) => {
  expect(resolveAzureSettings(input)).toMatchObject(expected);
});

test.each<[string, unknown, string[]]>([
  ["no object", "az://lake/logs", ["want an object"]],
  ["a misspelt name", { ...base, acountKey: key }, ["acountKey: not known; did you mean accountKey?"]],
  ["a strange name", { ...base, colour: 1 }, ["colour: not known; known are account, container"]],
  ["wrong types, all told", { ...base, prefix: 1, connectionsMax: "8" }, ["prefix: want", "connectionsMax: want"]],
  [
    "values of wrong types and of wrong forms, all told",
    { ...base, account: "Lake", container: 5, acountKey: "x", connectionsMax: 0, hierarchicalNamespace: "yes" },
    [
      "account: want 3",
      "container: want a value",
      "acountKey: not known; did you mean accountKey?",
      "connectionsMax: got 0",
      "hierarchicalNamespace: want",
    ],
  ],
  ["no credential", { account: "lake1", container: "logs" }, ["exactly one of", "got none"]],
  ["two credentials", { ...base, sasToken: sas }, ["exactly one of", "accountKey and sasToken"]],
  ["a credential that gives no tokens", { account: "lake1", container: "logs", credential: {} }, ["getToken"]],
  [
    "a token in the clear",
    { account: "lake1", container: "logs", credential, endpoint: "http://127.0.0.1:1/lake1" },
    ["https only"],
  ],
  [
    "several values, all told",
    { accountKey: "no key!", account: "Lake", container: "a--b", prefix: "/a", connectionsMax: 0 },
    ["accountKey:", "account:", "container:", "prefix:", "connectionsMax: got 0"],
  ],
  ["a prefix that climbs", { ...base, prefix: "a/../b" }, ["prefix:"]],
  ["an endpoint with a query", { ...base, endpoint: "https://host/?sig=x" }, ["endpoint: takes no"]],
  ["an endpoint that is none", { ...base, endpoint: "host" }, ["endpoint: want an address"]],
  ["a token without signature", { account: "lake1", container: "logs", sasToken: "sv=1" }, ["sasToken:"]],
  ["a Data Lake address without need", { ...base, dfsEndpoint: "https://host" }, ["dfsEndpoint: is only for"]],
  [
    "a Data Lake address that cannot be guessed",
    { ...base, endpoint: "http://127.0.0.1:1/lake1", hierarchicalNamespace: true },
    ["dfsEndpoint: is needed"],
  ],
  ["half a connection string", { container: "logs", connectionString: "AccountName=a" }, ["exactly one of AccountKey"]],
  [
    "an emulator elsewhere, by a field that is not read",
    {
      container: "logs",
      connectionString: "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://10.0.0.1",
    },
    ["give its BlobEndpoint"],
  ],
  ["no connection string", { container: "logs", connectionString: "hello" }, ["Name=value"]],
  [
    "a connection string of another account",
    { account: "lake1", container: "logs", connectionString: `AccountName=lake2;AccountKey=${key}` },
    ["of another account"],
  ],
])("refuses %s", (_, input, words) => {
  const problems = problemsOf(input);
  for (const word of words) expect(problems).toContain(word);
  expect(problems).not.toContain("canary");
  expect(problems).not.toContain(key);
});

test("a value of the wrong type is told once", () => {
  expect(problemsOf({ account: 1, container: 2, accountKey: 3, endpoint: 4 }).match(/; /g)).toHaveLength(3);
});

test.each([
  ["a key", base],
  ["a signature", { account: "lake1", container: "logs", sasToken: `?${sas}` }],
  ["a credential", { account: "lake1", container: "logs", credential: { ...credential, clientSecret: "canary" } }],
  ["a connection string", { container: "logs", connectionString: `AccountName=lake2;AccountKey=${key}` }],
])("hides %s", (_, input) => {
  const settings = resolveAzureSettings(input);
  const shown = [inspect(settings, { depth: 12, showHidden: true }), JSON.stringify(settings)].join("\n");
  expect(shown).toContain("[secret]");
  expect(shown).not.toContain("canary");
  expect(shown).not.toContain(key);
});
