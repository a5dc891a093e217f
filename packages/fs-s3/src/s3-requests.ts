/**
 * Sends single requests with the SDK's client.
 *
 * Always true:
 *  I1  what rejects is a StoreError, or the signal's reason once the signal fired
 *  I2  a client that was given is looked at before the first request, and never closed
 */
import type { S3Client } from "@aws-sdk/client-s3";
import {
  type DriverCall,
  isStoreError,
  StoreError,
  type StoreOutcome,
  systemRandom,
  type Random,
  untilAborted,
} from "@varve/fs-core";
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
  readonly #end: () => void;
  readonly #closing = new AbortController();
  #checked: Promise<void> | undefined;

  constructor(settings: ResolvedS3Settings, random: Random = systemRandom) {
    this.settings = settings;
    this.address = new ObjectAddress(settings);
    this.random = random;
    const { connection } = settings;
    const owned =
      connection.kind === "own" ? newS3Client(connection) : { client: connection.client(), close: () => {} };
    this.#client = owned.client;
    this.#end = () => owned.close();
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
    const closing = this.#closing.signal;
    if (closing.aborted) throw closed(subject, "none");
    const isOwn = this.settings.connection.kind === "own";
    try {
      this.#checked ??= assertPlainClient(this.#client);
      await this.#checked;
      // The SDK looks at the signal only while it sends: fetching credentials may take as long.
      const answer = untilAborted(send(this.#client, { abortSignal: signal }), signal);
      // What waits for a connection is not told by its agent that there will be none. A client that was given goes on.
      return await (isOwn ? untilAborted(answer, closing) : answer);
    } catch (error) {
      signal.throwIfAborted();
      if (isOwn && closing.aborted) throw closed(subject, subject.isWrite ? "unknown" : "none");
      throw isStoreError(error) ? error : mapS3Error(error, { ...subject, bucket: this.address.bucket });
    }
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#end();
  }
}

function closed({ operation, key }: Subject, outcome: StoreOutcome): StoreError {
  return new StoreError("CLOSED", "the driver was closed", {
    operation,
    outcome,
    ...(key === undefined ? {} : { key }),
  });
}

/** An answer that lacks what it must have: a proxy's page, or a success that was none. */
export function incomplete(what: string, { operation, key, isWrite }: Subject): StoreError {
  return new StoreError("UNAVAILABLE", `the store's answer has no ${what}`, {
    operation,
    outcome: isWrite ? "unknown" : "none",
    ...(key === undefined ? {} : { key }),
  });
}
