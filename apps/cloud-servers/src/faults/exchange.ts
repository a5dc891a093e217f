import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "@varve/fs-core";
import type { FaultAction } from "./fault-rule.ts";
import { connectionEnd, deliver, deliverCut, deliverStalled, type Reply, reset } from "./reply.ts";

/** An error that a fault asks for, for the protocol to put into its own form. */
export interface FaultError {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
}

/** One request and how a protocol serves it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  /**
   * Reads the body and checks the request. What it returns does all of the change at once and answers; it may be called
   * again for a duplicate. Errors of the protocol are replies. Rejects when the client goes away meanwhile.
   */
  prepare(): Promise<() => Reply>;
  errorReply(error: FaultError): Reply;
}

/**
 * Serves a request, with a fault if there is one. Rejects when the client went away, or `signal` fired.
 * @returns the status that was sent; undefined if none was
 */
export async function perform(
  exchange: Exchange,
  action: FaultAction | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { response } = exchange;
  if (action?.kind === "latency") await clock.sleep(action.ms, { signal });
  const isBefore = action !== undefined && "when" in action && action.when === "before";
  // A fault from before the commit must not depend on what the request says.
  if (isBefore) return conclude(exchange, action, undefined);
  const commit = await exchange.prepare();
  const first = commit();
  if (action?.kind === "duplicate") return send(response, commit());
  return conclude(exchange, action, first);
}

async function conclude(
  exchange: Exchange,
  action: FaultAction | undefined,
  reply: Reply | undefined,
): Promise<number | undefined> {
  const { response } = exchange;
  switch (action?.kind) {
    case "status":
      if (reply === undefined) await discardBody(exchange);
      return send(response, exchange.errorReply(action));
    case "errorInBody": {
      if (reply === undefined) await discardBody(exchange);
      const { code, message } = action;
      const error = { status: 500, ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
      return send(response, { ...exchange.errorReply(error), status: 200 });
    }
    case "reset":
      await reset(response);
      return undefined;
    case "hang":
      await connectionEnd(response);
      return undefined;
    default:
      return reply === undefined ? undefined : sendDamaged(response, action, reply);
  }
}

async function sendDamaged(
  response: ServerResponse,
  action: FaultAction | undefined,
  reply: Reply,
): Promise<number | undefined> {
  switch (action?.kind) {
    case "cutBody":
      await deliverCut(response, reply, action.afterBytes, action.how);
      return reply.status;
    case "stallBody":
      await deliverStalled(response, reply, action.afterBytes);
      return reply.status;
    case "corruptBody":
      return send(response, withFlippedBit(reply, action.at));
    default:
      return send(response, reply);
  }
}

async function send(response: ServerResponse, reply: Reply): Promise<number> {
  await deliver(response, reply);
  return reply.status;
}

/**
 * Reads what is left of the body, so that the client is able to read the answer: one that still writes sees a broken
 * connection. A client that was never told to continue gets its answer at once, and the connection ends.
 */
export async function discardBody({ request, response, expectsContinue }: DiscardedExchange): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  if (expectsContinue && !request.readableDidRead) {
    response.setHeader("connection", "close");
    return;
  }
  await new Promise<void>((resolve) => {
    request.once("end", resolve);
    request.once("close", resolve);
    request.once("error", () => resolve());
    request.resume();
  });
}

/** What {@link discardBody} needs. */
export type DiscardedExchange = Pick<Exchange, "request" | "response" | "expectsContinue">;

function withFlippedBit(reply: Reply, at: number): Reply {
  if (reply.body === undefined || at >= reply.body.byteLength) return reply;
  const body = Uint8Array.from(reply.body);
  body[at] = (body[at] ?? 0) ^ 1;
  return { ...reply, body };
}
