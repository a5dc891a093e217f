/**
 * A server that speaks the JSON API of Google Cloud Storage, with objects in memory.
 *
 * Always true:
 *  I1  every request under way has its promise in `#underWay`, and its signal fires when its connection or the server
 *      closes
 *  I2  what a request changed, it changed whole: handlers commit in one turn of the event loop
 */
import { createPublicKey } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, type Random, systemClock, systemRandom } from "@varve/fs-core";
import { ApiError } from "./api-error.ts";
import { Bucket, Generations } from "./bucket.ts";
import type { Call, Target } from "./call.ts";
import { Budget } from "./content.ts";
import { errorAnswer, handleWithFault } from "./dispatch.ts";
import type { FaultHook } from "./fault-action.ts";
import type { TokenIssuer } from "./oauth.ts";
import type { GcsOperation } from "./operation.ts";
import { Query } from "./query.ts";
import { type LoggedRequest, RequestLog } from "./request-log.ts";
import { RewriteTokens } from "./rewrite-tokens.ts";
import { route } from "./route.ts";
import { send, untilAborted } from "./send.ts";
import type { Service } from "./service.ts";
import { type GcsObject, type GcsSession, objectSnapshots, sessionSnapshots } from "./snapshots.ts";
import { UploadSessions } from "./upload-sessions.ts";

/** How a {@link GcsServer} begins. */
export interface GcsServerOptions {
  /** The buckets that there are; the API's methods on buckets make no others. */
  readonly buckets: readonly string[];
  /** Asked of every request as `Authorization: Bearer …`, and given by `POST /token`. Without it, anyone may call. */
  readonly token?: string;
  /** PEM; checks the RS256 signature of assertions sent to `POST /token`. Without it, any signature does. */
  readonly publicKey?: string;
  /** On 127.0.0.1. Default 0: any free one. */
  readonly port?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Keeps sizes and checksums, not bytes; downloads are answered with 501. Default false. */
  readonly discardBodies?: boolean;
  /** How far one rewrite call gets, in bytes from 1 up. Default: all the way. */
  readonly rewriteBytesPerCall?: number;
  /** Bodies that the server holds at most, in bytes; uploads beyond are answered with 413. Default 1 GiB. */
  readonly bodyBytesMax?: number;
}

/** A running server. */
export interface GcsServer extends AsyncDisposable {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** In the order of their arrival; the newest 10,000 at most. */
  readonly requests: readonly LoggedRequest[];
  /** Asked before each request; what it returns goes wrong. Set it at any time. */
  intercept: FaultHook | undefined;
  /** The live objects, in the order of lists. @throws RangeError for an unknown bucket */
  objects(bucket: string): readonly GcsObject[];
  /** Resumable uploads, ended ones too, in the order of their starts. @throws RangeError for an unknown bucket */
  sessions(bucket: string): readonly GcsSession[];
  clearRequests(): void;
  /** Breaks every connection and waits for what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Resolves when the server listens. @throws RangeError for an option out of its range, or the system's error */
export async function startGcsServer(options: GcsServerOptions): Promise<GcsServer> {
  const { port = 0, token, publicKey } = options;
  checkOptions(options);
  const key = publicKey === undefined ? undefined : createPublicKey(publicKey);
  const issuer = token === undefined ? undefined : { token, publicKey: key };
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  return new RunningServer(server, options, issuer);
}

/** @throws RangeError */
function checkOptions({ rewriteBytesPerCall = 1, bodyBytesMax = 0, token, publicKey }: GcsServerOptions): void {
  if (!(rewriteBytesPerCall >= 1)) {
    throw new RangeError(`rewriteBytesPerCall: got ${rewriteBytesPerCall}, want 1 or more`);
  }
  if (!(bodyBytesMax >= 0)) throw new RangeError(`bodyBytesMax: got ${bodyBytesMax}, want 0 or more`);
  if (publicKey !== undefined && token === undefined) throw new RangeError("publicKey: there is no token to give");
}

class RunningServer implements GcsServer {
  readonly url: string;
  readonly port: number;
  intercept: FaultHook | undefined;
  readonly #server: Server;
  readonly #service: Service;
  readonly #issuer: TokenIssuer | undefined;
  readonly #log = new RequestLog();
  readonly #underWay: Set<Promise<void>> = new Set();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(server: Server, options: GcsServerOptions, issuer: TokenIssuer | undefined) {
    const { clock = systemClock, random = systemRandom, bodyBytesMax = 1024 ** 3 } = options;
    this.#issuer = issuer;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
    const budget = new Budget(bodyBytesMax);
    const parts = { clock, budget, generations: new Generations(clock) };
    this.#service = {
      origin: this.url,
      clock,
      random,
      buckets: new Map(options.buckets.map((name) => [name, new Bucket(name, parts)])),
      budget,
      sessions: new UploadSessions(clock),
      rewriteTokens: new RewriteTokens(clock),
      discardBodies: options.discardBodies ?? false,
      rewriteBytesPerCall: options.rewriteBytesPerCall ?? Infinity,
    };
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const work = this.#serve(request, response).finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
    });
  }

  get requests(): readonly LoggedRequest[] {
    return this.#log.entries;
  }

  objects(bucket: string): readonly GcsObject[] {
    return objectSnapshots(this.#service, bucket);
  }

  sessions(bucket: string): readonly GcsSession[] {
    return sessionSnapshots(this.#service, bucket);
  }

  clearRequests(): void {
    this.#log.clear();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error("The server closes."));
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await Promise.all(this.#underWay);
  }

  /** Never rejects: what goes wrong here ends the connection, which is what the client can see. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new Error("The connection closed.")));
    // A reset while nobody writes: the close that follows tells it.
    response.on("error", () => undefined);
    const signal = AbortSignal.any([gone.signal, this.#closing.signal]);
    try {
      await this.#answer(request, response, signal);
    } catch (error) {
      if (signal.aborted || response.headersSent) response.socket?.destroy();
      else await this.#confess(response, error, signal);
    }
  }

  /** A fault of this server, or of the hook: the message goes to whoever reads the failing test. */
  async #confess(response: ServerResponse, error: unknown, signal: AbortSignal): Promise<void> {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const answer = errorAnswer(new ApiError(500, "internalError", message));
    try {
      await send(response, answer, undefined, { clock: this.#service.clock, signal });
    } catch {
      response.socket?.destroy();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const call = parse(request);
    const bucket = call.target.bucket;
    const object = call.target.object ?? this.#objectOf(call);
    const { method, operation, path, headers } = call;
    const noteStatus = this.#log.add({ method, operation, bucket, object, query: call.query.toRecord(), headers });
    const fault = await this.intercept?.({ operation, method, path, bucket, object });
    const answer = await handleWithFault(this.#service, this.#issuer, call, fault, signal);
    if (answer === undefined) {
      if (fault?.kind === "reset") request.socket.resetAndDestroy();
      else {
        // Taken in, so that the client's end of the connection is noticed.
        request.resume();
        await untilAborted(signal);
      }
      return;
    }
    noteStatus(answer.status);
    await send(response, answer, fault, { clock: this.#service.clock, signal });
    // What nobody wanted to read of the body is taken in, or the connection could not be used again.
    request.resume();
  }

  /** Uploads have the object's name elsewhere than in the path. */
  #objectOf(call: Call): string | undefined {
    const id = call.query.get("upload_id");
    const session = id === undefined ? undefined : this.#service.sessions.find(id);
    return session?.start.name ?? call.query.get("name");
  }
}

/** A request that no method fits is a call all the same, so that logs and faults see it. */
function parse(request: IncomingMessage): Call {
  const { method = "", url = "/" } = request;
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const headers = headersOf(request);
  let query = new Query("");
  let refusal: ApiError | undefined;
  let found: { operation: GcsOperation; target: Target } = { operation: "unknown", target: {} };
  try {
    query = new Query(mark < 0 ? "" : url.slice(mark + 1));
    found = route(method, path, query, headers["content-range"]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refusal = error;
  }
  // Leaving the loop early must not destroy the connection: its answer is still to come.
  const body: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  return { ...found, method, path, query, headers, body, refusal };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}
