/** One request from its arrival to its answer, with a fault in its course if there is one. The same for every protocol. */
import type { Clock } from "@varve/fs-core";
import { corruptPieces, corruptStream } from "./corrupt-bytes.ts";
import type { FaultAction } from "./fault-rule.ts";
import { connectionEnd, deliver, deliverRest, deliverStart, endEarly, piecesOf, type Reply, reset } from "./reply.ts";
import { type Arrival, arrivingBody, ClientGone, discardBody, heldBody, replayedBody } from "./request-body.ts";

/** An error that a fault asks for, for the protocol to put into its own form. */
export interface FaultError {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
}

/** One request and how a protocol serves it. */
export interface Exchange extends Arrival {
  /** What may be held of the body in order to serve it twice. */
  readonly bodyBytesMax: number;
  /**
   * Does what the request asks for. Reads `body` at most once. Called a second time, with the same bytes, for a
   * duplicate. Errors of the protocol are replies. Rejects when the client goes away meanwhile.
   */
  serve(body: AsyncIterable<Uint8Array>): Promise<Reply>;
  errorReply(error: FaultError): Reply;
  /** Told right before an answer is sent. */
  noteStatus(status: number): void;
}

/** Time for faults that wait, and what ends their waits: the server that closes. */
export interface FaultTime {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Serves a request, with a fault if there is one. Rejects when the client went away, or the signal fired. */
export async function perform(exchange: Exchange, action: FaultAction | undefined, time: FaultTime): Promise<void> {
  if (action?.kind === "latency") await pause(exchange, action.ms, time);
  const isBefore = action !== undefined && "when" in action && action.when === "before";
  // A fault from before the commit must not depend on what the request says.
  const reply = isBefore ? undefined : await serve(exchange, action);
  switch (action?.kind) {
    case "reset":
      return reset(exchange.response);
    case "hang":
      // Taken in, so that the client's end of the connection is noticed.
      exchange.request.resume();
      return connectionEnd(exchange.response);
    case "status":
    case "errorInBody":
      if (isBefore) await discardBody(exchange);
      return send(exchange, errorOf(exchange, action), undefined, time);
    default:
      if (reply !== undefined) await send(exchange, reply, action, time);
  }
}

async function serve(exchange: Exchange, action: FaultAction | undefined): Promise<Reply> {
  const body = arrivingBody(exchange);
  if (action?.kind === "corruptRequest") return exchange.serve(corruptStream(body, action.at));
  if (action?.kind !== "duplicate") return exchange.serve(body);
  const pieces = await heldBody(body, exchange.bodyBytesMax);
  if (pieces === undefined) return exchange.errorReply({ status: 413 });
  await exchange.serve(replayedBody(pieces));
  return exchange.serve(replayedBody(pieces));
}

function errorOf(exchange: Exchange, action: FaultAction & { readonly kind: "status" | "errorInBody" }): Reply {
  if (action.kind === "status") return exchange.errorReply(action);
  const { kind: _, when: __, ...error } = action;
  return { ...exchange.errorReply({ ...error, status: 500 }), status: 200 };
}

async function send(exchange: Exchange, reply: Reply, action: FaultAction | undefined, time: FaultTime): Promise<void> {
  const { response } = exchange;
  exchange.noteStatus(reply.status);
  switch (action?.kind) {
    case "cutBody":
      await deliverStart(response, reply, action.afterBytes);
      return endEarly(response, action.how);
    case "stallBody":
      await deliverStart(response, reply, action.afterBytes);
      if (action.ms === undefined) return connectionEnd(response);
      await pause(exchange, action.ms, time);
      return deliverRest(response, reply, action.afterBytes);
    case "corruptBody":
      return deliver(response, { ...reply, body: corruptPieces(piecesOf(reply), action.at) });
    default:
      return deliver(response, reply);
  }
}

/** @throws ClientGone, or the signal's reason */
async function pause({ response }: Exchange, ms: number, { clock, signal }: FaultTime): Promise<void> {
  if (response.closed) throw new ClientGone();
  const gone = new AbortController();
  const onClose = (): void => gone.abort(new ClientGone());
  response.once("close", onClose);
  try {
    await clock.sleep(ms, { signal: AbortSignal.any([gone.signal, signal]) });
  } finally {
    response.off("close", onClose);
  }
}
