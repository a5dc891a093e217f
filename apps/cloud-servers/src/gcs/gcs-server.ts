/**
 * A server that speaks the JSON API of Google Cloud Storage, with objects in memory.
 *
 * Always true:
 *  I1  every request under way has its promise in `#underWay`; it ends when its connection or the server closes
 *  I2  what a request changed, it changed whole: handlers commit in one turn of the event loop
 */
import { createPublicKey } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, type Random, systemClock, systemRandom } from "@varve/fs-core";
import { controlFaults, faultsPath } from "../faults/control.ts";
import { type Exchange, perform } from "../faults/exchange.ts";
import { FaultPlan } from "../faults/fault-plan.ts";
import { commonFaultKinds, type FaultRule } from "../faults/fault-rule.ts";
import { deliver, type Reply } from "../faults/reply.ts";
import { type Arrival, ClientGone } from "../faults/request-body.ts";
import { ApiError } from "./api-error.ts";
import { Bucket, Generations } from "./bucket.ts";
import type { Call, Target } from "./call.ts";
import { Budget } from "./content.ts";
import { errorReply, faultReply, handle } from "./dispatch.ts";
import type { TokenIssuer } from "./oauth.ts";
import type { GcsOperation } from "./operation.ts";
import { Query } from "./query.ts";
import { type LoggedRequest, RequestLog } from "./request-log.ts";
import { RewriteTokens } from "./rewrite-tokens.ts";
import { route } from "./route.ts";
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
  /** Rules from the start. */
  readonly faults?: readonly FaultRule[];
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
  /** In the order of their arrival; the newest 10,000 at most, those to {@link faults} over HTTP not among them. */
  readonly requests: readonly LoggedRequest[];
  readonly faults: FaultPlan;
  /** The live objects, in the order of lists. @throws RangeError for an unknown bucket */
  objects(bucket: string): readonly GcsObject[];
  /** Resumable uploads, ended ones too, in the order of their starts. @throws RangeError for an unknown bucket */
  sessions(bucket: string): readonly GcsSession[];
  clearRequests(): void;
  /** Breaks every connection and waits for what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Resolves when the server listens. @throws RangeError for an option that makes no sense, or the system's error */
export async function startGcsServer(options: GcsServerOptions): Promise<GcsServer> {
  const { port = 0, token, publicKey } = options;
  checkOptions(options);
  const key = publicKey === undefined ? undefined : createPublicKey(publicKey);
  const issuer = token === undefined ? undefined : { token, publicKey: key };
  const faults = new FaultPlan(commonFaultKinds, options.faults);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  return new RunningServer(server, options, issuer, faults);
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
  readonly faults: FaultPlan;
  readonly #server: Server;
  readonly #service: Service;
  readonly #issuer: TokenIssuer | undefined;
  readonly #log = new RequestLog();
  readonly #underWay: Set<Promise<void>> = new Set();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(server: Server, options: GcsServerOptions, issuer: TokenIssuer | undefined, faults: FaultPlan) {
    const { clock = systemClock, random = systemRandom, bodyBytesMax = 1024 ** 3 } = options;
    this.#issuer = issuer;
    this.faults = faults;
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
    this.#closing.abort(new ClientGone());
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await Promise.all(this.#underWay);
  }

  /** Never rejects: what goes wrong here ends the connection, which is what the client can see. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A reset while nobody writes: the close that follows tells it.
    response.on("error", () => undefined);
    // Node itself answers `Expect: 100-continue`.
    const arrival = { request, response, expectsContinue: false };
    try {
      if (request.url === faultsPath) await deliver(response, await controlFaults(arrival, this.faults));
      else await this.#answer(arrival);
    } catch (error) {
      if (error instanceof ClientGone || response.headersSent) response.socket?.destroy();
      else await deliver(response, confession(error));
    }
  }

  async #answer(arrival: Arrival): Promise<void> {
    const service = this.#service;
    const call = parse(arrival.request);
    const { method, operation, headers } = call;
    const bucket = call.target.bucket;
    const object = call.target.object ?? this.#objectOf(call);
    const noteStatus = this.#log.add({ method, operation, bucket, object, query: call.query.toRecord(), headers });
    const path = bucket === undefined ? "" : `/${bucket}/${object ?? ""}`;
    const exchange: Exchange = {
      ...arrival,
      bodyBytesMax: service.budget.limitBytes,
      serve: (body) => handle(service, this.#issuer, { ...call, body }),
      errorReply: faultReply,
      noteStatus,
    };
    const action = this.faults.next({ method, operation, path })?.action;
    await perform(exchange, action, { clock: service.clock, signal: this.#closing.signal });
    // What nobody wanted to read of the body is taken in, or the connection could not be used again.
    arrival.request.resume();
  }

  /** Uploads have the object's name elsewhere than in the path. */
  #objectOf(call: Head): string | undefined {
    const id = call.query.get("upload_id");
    const session = id === undefined ? undefined : this.#service.sessions.find(id);
    return session?.start.name ?? call.query.get("name");
  }
}

/** A fault of this server: the message goes to whoever reads the failing test. */
function confession(error: unknown): Reply {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return errorReply(new ApiError(500, "internalError", message));
}

/** A request without its body. */
type Head = Omit<Call, "body">;

/** A request that no method fits is a call all the same, so that logs and faults see it. */
function parse(request: IncomingMessage): Head {
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
  return { ...found, method, query, headers, refusal };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}
