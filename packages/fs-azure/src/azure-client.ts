/**
 * The vendor's clients, as this package needs them: one attempt a request, no redirects, connections of our own that close.
 * Signatures, tokens and the service's version are the SDK's affair; what is not in it is sent through its pipeline too.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  AnonymousCredential,
  AppendBlobClient,
  BlockBlobClient,
  type ContainerClient,
  BlobServiceClient,
  type Pipeline,
  type RequestPolicyFactory,
  type StoragePipelineOptions,
  StorageSharedKeyCredential,
  newPipeline,
} from "@azure/storage-blob";
import { closeAgent, untilAborted } from "@varve/fs-core";
import type { AzureAccess, ResolvedAzureSettings } from "./azure-settings.ts";
import { TypedCredential } from "./typed-credential.ts";

/** With options that the SDK passes on to its pipeline and does not declare. */
interface PipelineOptions extends StoragePipelineOptions {
  readonly agent: HttpAgent;
  readonly redirectOptions: { readonly maxRetries: number };
}

/** Headers that a request gets, or loses, beside those that the SDK knows of. */
export interface ExtraHeaders {
  readonly set: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export class AzureClient {
  readonly container: ContainerClient;
  readonly #settings: ResolvedAzureSettings;
  readonly #agent: HttpAgent;
  readonly #ownsAgent: boolean;
  readonly #closing = new AbortController();
  readonly #credential: StorageSharedKeyCredential | AnonymousCredential | TypedCredential;

  /** @param agent the caller's, who closes it; undefined: connections of our own */
  constructor(settings: ResolvedAzureSettings, agent?: HttpAgent) {
    this.#settings = settings;
    this.#ownsAgent = agent === undefined;
    const options = { keepAlive: true, maxSockets: settings.connectionsMax };
    this.#agent = agent ?? (settings.endpoint.startsWith("https:") ? new HttpsAgent(options) : new HttpAgent(options));
    this.#credential = credentialOf(settings.account, settings.access);
    const service = new BlobServiceClient(this.#signed(settings.endpoint), this.#pipeline());
    this.container = service.getContainerClient(settings.container);
  }

  /** What signs copies' sources. */
  get credential(): StorageSharedKeyCredential | AnonymousCredential | TypedCredential {
    return this.#credential;
  }

  blob(name: string): BlockBlobClient {
    return this.container.getBlockBlobClient(name);
  }

  /** A client for one request, with headers that the SDK does not know of. */
  blobWith(name: string, headers: ExtraHeaders): BlockBlobClient {
    return new BlockBlobClient(this.blob(name).url, this.#pipeline(headers));
  }

  /**
   * `PUT` of a path without a body, on the Data Lake endpoint. An append blob's creation is that request but for one header,
   * which is taken away; so it is signed and answered for like all others.
   */
  path(name: string, query: string, headers: Readonly<Record<string, string>>): AppendBlobClient {
    const { dfsEndpoint, container } = this.#settings;
    const url = `${dfsEndpoint}/${container}/${encodeName(name)}${query === "" ? "" : `?${query}`}`;
    return new AppendBlobClient(this.#signed(url), this.#pipeline({ set: headers, remove: ["x-ms-blob-type"] }));
  }

  /** The address of a blob or path with the signature, where requests are signed so. */
  #signed(url: string): string {
    const { access } = this.#settings;
    if (access.kind !== "sasToken") return url;
    return `${url}${url.includes("?") ? "&" : "?"}${access.token.reveal()}`;
  }

  #pipeline(headers?: ExtraHeaders): Pipeline {
    const options: PipelineOptions = {
      retryOptions: { maxTries: 1 },
      redirectOptions: { maxRetries: 0 },
      agent: this.#agent,
    };
    const pipeline = newPipeline(this.#credential, options);
    if (headers !== undefined) pipeline.factories.push(addingHeaders(headers));
    return pipeline;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * `running`, or a rejection when its connections are closed first: what waits for one is not told by its agent that there
   * will be none. Under an agent of the caller's it goes on.
   */
  async untilClosed<T>(running: Promise<T>): Promise<T> {
    return this.#ownsAgent ? untilAborted(running, this.#closing.signal) : running;
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    if (this.#ownsAgent) closeAgent(this.#agent);
  }
}

function credentialOf(
  account: string,
  access: AzureAccess,
): StorageSharedKeyCredential | AnonymousCredential | TypedCredential {
  switch (access.kind) {
    case "accountKey":
      return new StorageSharedKeyCredential(account, access.key.reveal());
    case "credential":
      return new TypedCredential(access.credential);
    case "sasToken":
      return new AnonymousCredential();
  }
}

/** Runs before the request is signed. */
function addingHeaders({ set, remove = [] }: ExtraHeaders): RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest(request) {
        for (const name of remove) request.headers.remove(name);
        for (const [name, value] of Object.entries(set)) request.headers.set(name, value);
        return next.sendRequest(request);
      },
    }),
  };
}

/** A blob's name as the path of an address. */
export function encodeName(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}
