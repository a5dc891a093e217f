/**
 * The server: sockets, the requests in flight, and their end.
 *
 * Always true:
 *  I1  every request that was begun is in `running` until its answer was sent or its connection ended
 *  I2  after close() resolved, no request is running and no socket is open
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { controlFaults, faultsPath } from "../faults/control.ts";
import { perform } from "../faults/exchange.ts";
import { FaultPlan } from "../faults/fault-plan.ts";
import { commonFaultKinds, type FaultKind } from "../faults/fault-rule.ts";
import { deliver } from "../faults/reply.ts";
import { ClientGone, discardBody } from "../faults/request-body.ts";
import { readAddress } from "./address.ts";
import { Bucket } from "./bucket.ts";
import { errorReply, finishReply } from "./error-reply.ts";
import type { MultipartUpload } from "./multipart-upload.ts";
import { type ResolvedS3Options, resolveS3Options, type S3ServerOptions } from "./options.ts";
import { RequestLog, type RequestRecord } from "./request-record.ts";
import { S3Error } from "./s3-error.ts";
import { type ArrivedRequest, answerOrError, operationOf, operationRequest, s3Exchange } from "./serve-request.ts";
import type { StoredObject } from "./stored-object.ts";

/** What an S3 server can be made to do wrong. */
export const s3FaultKinds: readonly FaultKind[] = [...commonFaultKinds, "errorInBody", "failKeys"];

/** A server that runs. */
export interface S3Server extends AsyncDisposable {
  /** For path style; without a slash at the end. Virtual-hosted style is `http://<bucket>.localhost:<port>`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The last requests, first to last, those to {@link faults} over HTTP not among them. */
  readonly requests: readonly RequestRecord[];
  readonly faults: FaultPlan;
  /** What a bucket holds, by key. @throws RangeError when there is no such bucket */
  objects(bucket: string): ReadonlyMap<string, StoredObject>;
  /** Uploads that are neither completed nor aborted, by id. @throws RangeError when there is no such bucket */
  uploads(bucket: string): ReadonlyMap<string, MultipartUpload>;
  clearRequests(): void;
  /**
   * Ends every connection, also those that hang, and waits for the requests. Idempotent.
   * Rejects when a request failed in a way that is a fault of the server itself; the client was answered 500.
   */
  close(): Promise<void>;
}

/**
 * Starts a server on the loopback interface.
 * @throws RangeError for options that make no sense
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const server = new RunningS3Server(resolveS3Options(options));
  await server.listen();
  return server;
}

class RunningS3Server implements S3Server {
  readonly host = "127.0.0.1";
  readonly faults: FaultPlan;
  readonly #options: ResolvedS3Options;
  readonly #buckets: ReadonlyMap<string, Bucket>;
  readonly #log: RequestLog;
  readonly #http: Server;
  readonly #stopping = new AbortController();
  readonly #running: Set<Promise<void>> = new Set();
  #port = 0;
  #failure: { readonly error: unknown } | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedS3Options) {
    this.#options = options;
    this.#buckets = new Map(options.buckets.map((name) => [name, new Bucket(name, options.random)]));
    this.#log = new RequestLog(options.requestsMax);
    this.faults = new FaultPlan(s3FaultKinds, options.faults);
    // Large uploads take their time; idle connections should outlive a client's pause.
    this.#http = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
    this.#http.on("request", (request, response) => this.#begin(request, response, false));
    this.#http.on("checkContinue", (request, response) => this.#begin(request, response, true));
  }

  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get requests(): readonly RequestRecord[] {
    return this.#log.records;
  }

  objects(bucket: string): ReadonlyMap<string, StoredObject> {
    return this.#bucket(bucket).objects;
  }

  uploads(bucket: string): ReadonlyMap<string, MultipartUpload> {
    return this.#bucket(bucket).uploads;
  }

  clearRequests(): void {
    this.#log.clear();
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen(this.#options.port, this.host, () => {
        this.#http.off("error", reject);
        resolve();
      });
    });
    this.#port = (this.#http.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#stopping.abort(new ClientGone());
    this.#http.closeAllConnections();
    await Promise.all([ended, ...this.#running]);
    if (this.#failure !== undefined) {
      throw new Error("a request made the server itself fail", { cause: this.#failure.error });
    }
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new RangeError(`there is no bucket ${name}`);
    return bucket;
  }

  #begin(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    // A client that goes away is nothing to report; whoever waits for it sees the end of the connection.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const running = this.#serve(request, response, expectsContinue)
      .catch((error: unknown) => {
        if (error instanceof ClientGone) return;
        this.#failure ??= { error };
        response.socket?.destroy();
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    if (request.url === faultsPath) {
      await deliver(response, await controlFaults({ request, response, expectsContinue }, this.faults));
      return;
    }
    const arrived = this.#arrive(request, response, expectsContinue);
    const { address, operation, method, headers } = arrived;
    const place = address instanceof S3Error ? undefined : address;
    const name = operation instanceof S3Error ? "Unknown" : operation.name;
    const noteStatus = this.#log.add({
      method,
      operation: name,
      bucket: place?.bucket,
      key: place?.key,
      query: Object.fromEntries(place?.query ?? []),
      headers: Object.fromEntries(headers),
    });
    const path = place?.bucket === undefined ? "" : `/${place.bucket}/${place.key ?? ""}`;
    const action = this.faults.next({ method, operation: name, path })?.action;
    const state = { options: this.#options, buckets: this.#buckets, url: this.url };
    try {
      const time = { clock: this.#options.clock, signal: this.#stopping.signal };
      await perform({ ...s3Exchange(arrived, state, action), noteStatus }, action, time);
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      await discardBody(arrived);
      const reply = errorReply(new S3Error("InternalError"), arrived.identity);
      noteStatus(500);
      await deliver(response, finishReply(reply, arrived.identity, method === "HEAD"));
      throw error;
    }
  }

  #arrive(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): ArrivedRequest {
    const method = request.method ?? "";
    const target = request.url ?? "";
    const headers = pairs(request.rawHeaders);
    const address = answerOrError(() => readAddress(target, request.headers.host));
    const operation =
      address instanceof S3Error ? address : operationOf(operationRequest(method, address, headers, this.#options));
    const identity = {
      requestId: this.#randomHex(8).toUpperCase(),
      hostId: this.#randomHex(24),
      resource: target.split("?")[0] ?? "",
    };
    return { request, response, expectsContinue, method, headers, address, operation, identity };
  }

  #randomHex(bytes: number): string {
    return Buffer.from(this.#options.random.fill(new Uint8Array(bytes))).toString("hex");
  }
}

/** Lower case names; a name may repeat. */
function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    result.push([(rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? ""]);
  }
  return result;
}
