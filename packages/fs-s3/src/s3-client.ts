/** The SDK's client, without its retries, its own checksums and its timeouts: those are the engine's. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { closeAgent, StoreError } from "@varve/fs-core";
import type { S3Connection, S3CredentialsProvider } from "./s3-settings.ts";

/** Warnings about a busy pool: requests that wait for a connection are what `maxSockets` asks for. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** A client and its end. */
export interface OwnedClient {
  readonly client: S3Client;
  /** Idempotent. */
  close(): void;
}

/** A client that the caller closes. */
export function newS3Client(connection: S3Connection & { readonly kind: "own" }): OwnedClient {
  const { region, endpoint, forcePathStyle, credentials, maxSockets } = connection;
  const options = { keepAlive: true, maxSockets };
  const httpAgent = new HttpAgent(options);
  const httpsAgent = new HttpsAgent(options);
  const config: S3ClientConfig = {
    forcePathStyle,
    maxAttempts: 1,
    retryMode: "standard",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // With it, every large part would take a new connection and a round trip more.
    expectContinueHeader: false,
    requestHandler: { httpAgent, httpsAgent, logger: silent },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: named(credentials) }),
  };
  const client = new S3Client(config);
  return {
    client,
    close() {
      for (const agent of [httpAgent, httpsAgent]) closeAgent(agent);
      client.destroy();
    },
  };
}

/** Fails as the SDK's own providers do. */
function named(provider: S3CredentialsProvider): S3CredentialsProvider {
  return async () => {
    try {
      const credentials = await provider();
      if (typeof credentials?.accessKeyId !== "string" || typeof credentials.secretAccessKey !== "string") {
        throw new TypeError("want accessKeyId and secretAccessKey");
      }
      return credentials;
    } catch (cause) {
      const problem = new Error("the credentials could not be fetched", { cause });
      throw Object.assign(problem, { name: "CredentialsProviderError" });
    }
  };
}

/** @throws StoreError `INVALID_ARGUMENT` for a client that would retry, or change what is sent, behind the engine's back */
export async function assertPlainClient({ config }: S3Client): Promise<void> {
  const problems: string[] = [];
  if ((await config.maxAttempts()) !== 1) problems.push("maxAttempts: want 1");
  for (const name of ["requestChecksumCalculation", "responseChecksumValidation"] as const) {
    if ((await config[name]()) !== "WHEN_REQUIRED") problems.push(`${name}: want WHEN_REQUIRED`);
  }
  if (problems.length > 0) throw new StoreError("INVALID_ARGUMENT", `s3 client: ${problems.join("; ")}`);
}
