/**
 * Sends single requests with the SDK's client.
 *
 * Always true:
 *  I1  what rejects is a StoreError, or the signal's reason once the signal fired
 *  I2  a client that was given is looked at before the first request, and never closed
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { type DriverCall, isStoreError, StoreError, systemRandom, type Random, untilAborted } from "@varve/fs-core";
import { type FailedRequest, mapS3Error } from "./map-s3-error.ts";
import { ObjectAddress } from "./object-address.ts";
import { assertPlainClient, newS3Client } from "./s3-client.ts";
import type { ResolvedS3Settings } from "./s3-settings.ts";

/** What a request is about, for its error. */
export type Subject = Omit<FailedRequest, "bucket">;

export class S3Requests {
  readonly settings: ResolvedS3Settings;
  readonly address: ObjectAddress;
  readonly random: Random;
  readonly #client: S3Client;
  #checked: Promise<void> | undefined;
  #isClosed = false;

  constructor(settings: ResolvedS3Settings, random: Random = systemRandom) {
    this.settings = settings;
    this.address = new ObjectAddress(settings);
    this.random = random;
    const { connection } = settings;
    this.#client = connection.kind === "own" ? newS3Client(connection) : connection.client();
    if (connection.kind === "own") this.#checked = Promise.resolve();
  }

  get keepsChecksums(): boolean {
    return this.settings.checksumMode === "store";
  }

  /** @param send hands a command to the client, with the signal that stops it */
  async send<T>(
    subject: Subject,
    { signal }: DriverCall,
    send: (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new StoreError("CLOSED", "the driver was closed", { operation: subject.operation });
    try {
      this.#checked ??= assertPlainClient(this.#client);
      await this.#checked;
      // The SDK looks at the signal only while it sends: fetching credentials may take as long.
      return await untilAborted(send(this.#client, { abortSignal: signal }), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw isStoreError(error) ? error : mapS3Error(error, { ...subject, bucket: this.address.bucket });
    }
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    if (this.settings.connection.kind === "own") this.#client.destroy();
  }
}

/** An answer that lacks what it must have: a proxy's page, or a success that was none. */
export function incomplete(what: string, { operation, key, isWrite }: Subject): StoreError {
  return new StoreError("UNAVAILABLE", `the store's answer has no ${what}`, {
    operation,
    outcome: isWrite ? "unknown" : "none",
    ...(key === undefined ? {} : { key }),
  });
}
