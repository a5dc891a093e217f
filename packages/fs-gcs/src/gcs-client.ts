/**
 * Authorized requests to one endpoint, over one pool of connections.
 *
 * Always true:
 *  I1  each call sends one request to the store, at most once
 *  I2  whatever rejects is a StoreError, or what the call's signal says
 *  I3  after `close` no connection is open and none is opened
 */
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { type Clock, closeAgent, StoreError, untilAborted, type WriteCondition } from "@varve/fs-core";
import { type Authorizer, createAuthorizer } from "./authorizer.ts";
import { type HttpAnswer, type HttpRequest, readAnswer, sendRequest } from "./gcs-request.ts";
import type { ResolvedGcsSettings } from "./gcs-settings.ts";
import { type FailedRequest, mapConnectionError, mapGcsAnswer, notTheStore } from "./map-gcs-error.ts";
import { withQuery } from "./object-address.ts";

export interface GcsCall {
  readonly method: HttpRequest["method"];
  /** Of the API, with query; or of an upload's session. */
  readonly target: { readonly path: string } | { readonly session: URL };
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  /** Whether it may change what is stored. */
  readonly changes: boolean;
  readonly condition?: WriteCondition;
  readonly declaresChecksum?: FailedRequest["declaresChecksum"];
  /** Beside 2xx. */
  readonly accepts?: readonly number[];
  readonly signal: AbortSignal;
}

/** Connections at once; more requests wait for one. */
const socketsMax = 64;
/** Shorter than the server's, so that a request rarely meets a connection that was just closed. */
const idleMs = 30_000;
/** A page of a listing with 1000 names of 1024 bytes, each escaped, fits. */
const answerBytesMax = 16 * 2 ** 20;
const errorBytesMax = 64 * 1024;

export class GcsClient {
  readonly #endpoint: URL;
  readonly #basePath: string;
  readonly #userProject: string | undefined;
  readonly #authorizer: Authorizer;
  readonly #agents: readonly [http.Agent, https.Agent];
  readonly #closing = new AbortController();

  constructor({ endpoint, identity, userProject }: ResolvedGcsSettings, clock: Clock) {
    const options = { keepAlive: true, maxSockets: socketsMax, timeout: idleMs, scheduling: "lifo" as const };
    this.#agents = [new http.Agent(options), new https.Agent(options)];
    this.#endpoint = new URL(endpoint);
    this.#basePath = this.#endpoint.pathname.replace(/\/$/, "");
    this.#userProject = userProject;
    this.#authorizer = createAuthorizer(identity, { clock, agentFor: (url) => this.#agentFor(url) });
  }

  get endpoint(): URL {
    return this.#endpoint;
  }

  /** An answer that is small, read whole. */
  async send(call: GcsCall): Promise<HttpAnswer> {
    const head = await this.stream(call);
    return this.#read(head, answerBytesMax, call);
  }

  /** The answer's JSON. */
  async sendForJson(call: GcsCall): Promise<unknown> {
    return parseJson(await this.send(call), call);
  }

  /** An answer whose body the caller reads, or destroys. */
  async stream(call: GcsCall): Promise<IncomingMessage> {
    if (this.#closing.signal.aborted) throw new StoreError("CLOSED", "the store is closed");
    const { method, target, signal } = call;
    const isSession = "session" in target;
    const origin = isSession ? target.session : this.#endpoint;
    const path = isSession
      ? target.session.pathname + target.session.search
      : this.#basePath + withQuery(target.path, { userProject: this.#userProject });
    const authorization = await this.#authorizer.authorize(`${origin.origin}/`, signal);
    // Google's library knows nothing of `close`, and an agent that was destroyed would connect all the same.
    if (this.#closing.signal.aborted) throw new StoreError("CLOSED", "the store was closed");
    const head = await this.#sent(call, {
      method,
      origin,
      path,
      headers: { ...authorization.headers, "user-agent": "varve", ...call.headers },
      body: call.body ?? [],
      agent: this.#agentFor(origin),
      signal,
    });
    const status = head.statusCode ?? 0;
    if ((status >= 200 && status < 300) || call.accepts?.includes(status) === true) return head;
    const answer = await this.#read(head, errorBytesMax, call, "cut");
    if (status === 401) this.#authorizer.refused(authorization);
    throw mapGcsAnswer(answer, {
      ...failedRequest(call),
      isTokenOld: authorization.isOld,
      secrets: [...tokensIn(authorization.headers), ...sessionSecrets(target)],
    });
  }

  close(): void {
    this.#closing.abort();
    this.#authorizer.close();
    for (const agent of this.#agents) closeAgent(agent);
  }

  async #sent(call: GcsCall, request: HttpRequest): Promise<IncomingMessage> {
    try {
      // What waits for a connection is not told by its agent that there will be none.
      return await untilAborted(sendRequest(request), this.#closing.signal);
    } catch (error) {
      throw this.#typed(error, call);
    }
  }

  async #read(
    head: IncomingMessage,
    bytesMax: number,
    call: GcsCall,
    whenMore: "cut" | "refuse" = "refuse",
  ): Promise<HttpAnswer> {
    try {
      return await readAnswer(head, bytesMax, call.signal, whenMore);
    } catch (error) {
      throw this.#typed(error, call);
    }
  }

  #typed(error: unknown, { signal, changes }: GcsCall): unknown {
    if (signal.aborted) return error;
    return this.#closing.signal.aborted
      ? new StoreError("CLOSED", "the store was closed", { outcome: changes ? "unknown" : "none" })
      : mapConnectionError(error, { changes });
  }

  #agentFor(url: URL): http.Agent {
    return this.#agents[url.protocol === "https:" ? 1 : 0];
  }
}

/** @throws StoreError `UNAVAILABLE` */
export function parseJson(answer: HttpAnswer, { changes }: Pick<GcsCall, "changes">): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw notTheStore("not JSON", changes, answer.status);
  }
}

function failedRequest({ changes, condition, declaresChecksum, target }: GcsCall): FailedRequest {
  return {
    changes,
    isToUpload: "session" in target,
    ...(condition === undefined ? {} : { condition }),
    ...(declaresChecksum === undefined ? {} : { declaresChecksum }),
  };
}

function tokensIn({ authorization = "" }: Readonly<Record<string, string>>): string[] {
  return authorization === "" ? [] : [authorization.replace(/^Bearer /, "")];
}

/** The address of an upload is all that is needed to send to it. */
function sessionSecrets(target: GcsCall["target"]): string[] {
  if (!("session" in target)) return [];
  const { href, search, searchParams } = target.session;
  return [href, search, searchParams.get("upload_id") ?? ""].filter((secret) => secret !== "");
}
