/** What a bucket is opened with, and the check of it. */
import type { S3Client } from "@aws-sdk/client-s3";
import { StoreError, unknownNames } from "@varve/fs-core";
import { resolveS3Credentials } from "./s3-credentials.ts";
import { resolveS3Conditions, type S3Conditions } from "./s3-conditions.ts";

/** Where the objects are, who asks, and how they are kept. Only `bucket` must be given. */
export interface S3Settings {
  /** A name that ends in `--x-s3` is a directory bucket of S3 Express One Zone. */
  readonly bucket: string;
  /** Folder in the bucket, without slashes at its ends. Keys are relative to it. Default: the whole bucket. */
  readonly prefix?: string;
  /** Default: what the AWS SDK finds in the environment or its files; `us-east-1` with an `endpoint` when it finds none. */
  readonly region?: string;
  /** URL of another server that speaks S3. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or AWS. */
  readonly endpoint?: string;
  /** The bucket in the URL's path, not in its host. Default true with an endpoint, false for AWS. */
  readonly forcePathStyle?: boolean;
  /** Keys, or a function that fetches them. Default: the AWS SDK's chain of providers. */
  readonly credentials?: S3Credentials | S3CredentialsProvider;
  /**
   * Who keeps CRC-64/NVME. `store`: the server gets it with the bytes, refuses others, and gives it back. `metadata`: it
   * is kept beside the bytes only, for servers that do not know it. Default `store` for AWS, `metadata` with an endpoint.
   */
  readonly checksumMode?: S3ChecksumMode;
  /** How versions are written in conditions. `bare` is for servers that compare them without quotes. Default `quoted`. */
  readonly etagQuotes?: "quoted" | "bare";
  /** What the server at an `endpoint` does not keep, to be refused rather than trusted. Default: it keeps every condition. */
  readonly conditions?: S3Conditions;
  /** The bucket behaves as a directory bucket although its name does not say so. Default: by the name. */
  readonly express?: boolean;
  /** Connections, 1..10,000. Further requests wait. Default 64. */
  readonly maxSockets?: number;
  /** For example `STANDARD_IA`. Classes that must be restored before they are read are refused. Default: the bucket's. */
  readonly storageClass?: string;
  /** Default: the bucket's. */
  readonly serverSideEncryption?: S3ServerSideEncryption;
  /** Of AWS KMS; with `serverSideEncryption` `aws:kms` or `aws:kms:dsse`. */
  readonly kmsKeyId?: string;
  /**
   * A client of your own, which stays yours: it is not closed. It must have `maxAttempts: 1` and `WHEN_REQUIRED` for
   * `requestChecksumCalculation` and `responseChecksumValidation`; the first request checks that.
   */
  readonly client?: S3Client;
}

/** Who keeps checksums; see {@link S3Settings.checksumMode}. */
export type S3ChecksumMode = "store" | "metadata";

/** Encryption at rest, by the names of the S3 API. */
export type S3ServerSideEncryption = "AES256" | "aws:kms" | "aws:kms:dsse";

/** Keys of an identity. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** From a provider: it is asked again shortly before. Without it, it is asked once. */
  readonly expiration?: Date;
}

/** Fetches keys when they are needed. */
export type S3CredentialsProvider = () => Promise<S3Credentials>;

/** How to reach the server: with a client of ours, or with the caller's. */
export type S3Connection =
  | {
      readonly kind: "own";
      readonly region: string | undefined;
      readonly endpoint: string | undefined;
      readonly forcePathStyle: boolean;
      /** A function always, so that nothing that shows these settings shows keys. */
      readonly credentials: S3CredentialsProvider | undefined;
      readonly maxSockets: number;
    }
  | { readonly kind: "given"; readonly client: () => S3Client };

/** With every default filled in. Safe to show. */
export interface ResolvedS3Settings {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly connection: S3Connection;
  readonly isCustomEndpoint: boolean;
  readonly checksumMode: S3ChecksumMode;
  readonly etagQuotes: "quoted" | "bare";
  readonly conditions: Required<S3Conditions>;
  readonly isExpress: boolean;
  readonly storageClass: string | undefined;
  readonly serverSideEncryption: S3ServerSideEncryption | undefined;
  readonly kmsKeyId: string | undefined;
}

const names = [
  "bucket",
  "prefix",
  "region",
  "endpoint",
  "forcePathStyle",
  "credentials",
  "checksumMode",
  "etagQuotes",
  "conditions",
  "express",
  "maxSockets",
  "storageClass",
  "serverSideEncryption",
  "kmsKeyId",
  "client",
] as const;

/** They make a client of ours; a client that is given has its own. */
const connectionNames = ["region", "endpoint", "forcePathStyle", "credentials", "maxSockets"] as const;

const maxSocketsDefault = 64;
const prefixBytesMax = 512;
const expressSuffix = "--x-s3";

type Given = Readonly<Record<string, unknown>>;

/** @throws StoreError `INVALID_ARGUMENT` with every problem, and without any value that may be secret */
export function resolveS3Settings(input: unknown, environment: NodeJS.ProcessEnv = process.env): ResolvedS3Settings {
  const problems: string[] = [];
  const given: Given = typeof input === "object" && input !== null ? (input as Given) : {};
  problems.push(...unknownNames(given, names));
  const bucket = textOf(given, "bucket", /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, "3 to 63 of a-z 0-9 . _ -", problems);
  if (given["bucket"] === undefined) problems.push("bucket: want the bucket's name");
  const connection = connectionOf(given, environment, problems);
  const isCustomEndpoint = isCustom(connection);
  const serverSideEncryption = oneOf(given, "serverSideEncryption", ["AES256", "aws:kms", "aws:kms:dsse"], problems);
  const kmsKeyId = textOf(given, "kmsKeyId", /^[\x21-\x7e]{1,2048}$/, "a key's id or ARN", problems);
  if (kmsKeyId !== undefined && serverSideEncryption?.startsWith("aws:kms") !== true) {
    problems.push("kmsKeyId: want serverSideEncryption aws:kms or aws:kms:dsse with it");
  }
  const isExpressByName = bucket?.endsWith(expressSuffix) === true;
  const express = flagOf(given, "express", problems);
  if (isExpressByName && express === false) problems.push(`express: a name that ends in ${expressSuffix} says true`);
  const settings = {
    prefix: prefixOf(given, problems),
    connection,
    isCustomEndpoint,
    checksumMode:
      oneOf(given, "checksumMode", ["store", "metadata"], problems) ?? (isCustomEndpoint ? "metadata" : "store"),
    etagQuotes: oneOf(given, "etagQuotes", ["quoted", "bare"], problems) ?? "quoted",
    conditions: resolveS3Conditions(given["conditions"], problems),
    isExpress: express ?? isExpressByName,
    storageClass: storageClassOf(given, problems),
    serverSideEncryption,
    kmsKeyId,
  } as const;
  if (problems.length > 0) throw new StoreError("INVALID_ARGUMENT", `s3 settings: ${problems.join("; ")}`);
  return Object.freeze({ bucket: bucket as string, ...settings });
}

function connectionOf(given: Given, environment: NodeJS.ProcessEnv, problems: string[]): S3Connection {
  const { client } = given;
  if (client !== undefined) {
    if (!isClient(client)) problems.push("client: want an S3Client of @aws-sdk/client-s3");
    for (const name of connectionNames) {
      if (given[name] !== undefined) problems.push(`${name}: the client that is given has its own; leave it out`);
    }
    return { kind: "given", client: () => client as S3Client };
  }
  const endpoint = endpointOf(given["endpoint"] ?? environmentEndpoint(environment), problems);
  const region = textOf(given, "region", /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, "a region's name", problems);
  const maxSockets = given["maxSockets"] ?? maxSocketsDefault;
  if (!Number.isInteger(maxSockets) || (maxSockets as number) < 1 || (maxSockets as number) > 10_000) {
    problems.push("maxSockets: want a whole number in 1..10000");
  }
  return {
    kind: "own",
    // Servers other than AWS have none, and the signature needs one.
    region: region ?? (endpoint === undefined ? undefined : (environment["AWS_REGION"] ?? "us-east-1")),
    endpoint,
    forcePathStyle: flagOf(given, "forcePathStyle", problems) ?? endpoint !== undefined,
    credentials: resolveS3Credentials(given["credentials"], problems),
    maxSockets: maxSockets as number,
  };
}

function isCustom(connection: S3Connection): boolean {
  if (connection.kind === "own") return connection.endpoint !== undefined;
  const { config } = (connection.client() ?? {}) as { config?: { isCustomEndpoint?: boolean } };
  return config?.isCustomEndpoint === true;
}

function isClient(value: unknown): value is S3Client {
  return (
    typeof value === "object" &&
    value !== null &&
    "send" in value &&
    typeof value.send === "function" &&
    "config" in value
  );
}

/** As AWS's tools read them. */
function environmentEndpoint(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] === "true") return undefined;
  return environment["AWS_ENDPOINT_URL_S3"] || environment["AWS_ENDPOINT_URL"] || undefined;
}

function endpointOf(value: unknown, problems: string[]): string | undefined {
  if (value === undefined) return undefined;
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  ) {
    return url.href.replace(/\/+$/, "");
  }
  problems.push("endpoint: want an http or https URL without credentials, query and fragment");
  return undefined;
}

function prefixOf(given: Given, problems: string[]): string {
  const { prefix } = given;
  if (prefix === undefined || prefix === "") return "";
  if (typeof prefix === "string" && isFolder(prefix)) return `${prefix}/`;
  problems.push(
    `prefix: want a folder without slashes at its ends, empty parts, . and .., up to ${prefixBytesMax} bytes`,
  );
  return "";
}

function isFolder(text: string): boolean {
  if (/[\p{Control}\p{Surrogate}\\]/u.test(text) || Buffer.byteLength(text) > prefixBytesMax) return false;
  return text.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function storageClassOf(given: Given, problems: string[]): string | undefined {
  const storageClass = textOf(given, "storageClass", /^[A-Z0-9_]{1,40}$/, "a class such as STANDARD_IA", problems);
  if (storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE") {
    problems.push("storageClass: objects of an archive class cannot be read back at once");
  }
  return storageClass;
}

function textOf(given: Given, name: string, form: RegExp, wanted: string, problems: string[]): string | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && form.test(value)) return value;
  problems.push(`${name}: want ${wanted}`);
  return undefined;
}

function flagOf(given: Given, name: string, problems: string[]): boolean | undefined {
  const value = given[name];
  if (value === undefined || typeof value === "boolean") return value;
  problems.push(`${name}: want true or false`);
  return undefined;
}

function oneOf<const T extends string>(
  given: Given,
  name: string,
  allowed: readonly T[],
  problems: string[],
): T | undefined {
  const value = given[name];
  if (value === undefined || (allowed as readonly unknown[]).includes(value)) return value as T | undefined;
  problems.push(`${name}: want ${allowed.join(" or ")}`);
  return undefined;
}
