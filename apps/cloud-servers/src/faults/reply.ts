/**
 * Sends answers that are whole in memory, or less than whole on request. Every function resolves when the answer has
 * been handed to the system, or the client has gone: an answer that nobody reads is no error of the server.
 */
import type { ServerResponse } from "node:http";

/** An answer. */
export interface Reply {
  readonly status: number;
  /** Lower case names. `content-length` follows from the body and must not be here. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For the answer to a HEAD: the length of the body that it does not have. */
  readonly announcedBytes?: number;
}

/** Sends all of it. */
export function deliver(response: ServerResponse, reply: Reply): Promise<void> {
  return untilDone(response, () => {
    writeHead(response, reply);
    response.end(reply.body);
  });
}

/** Sends the head and the first `bytes` of the body, then ends the connection as if there were no more. */
export async function deliverCut(
  response: ServerResponse,
  reply: Reply,
  bytes: number,
  how: "fin" | "reset",
): Promise<void> {
  await deliverStart(response, reply, bytes);
  const { socket } = response;
  if (socket === null) return;
  await untilDone(response, () => {
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroySoon();
  });
}

/** Sends the head and the first `bytes` of the body, and then nothing until the connection ends. */
export async function deliverStalled(response: ServerResponse, reply: Reply, bytes: number): Promise<void> {
  await deliverStart(response, reply, bytes);
  await connectionEnd(response);
}

/** Resets the connection without an answer. */
export function reset(response: ServerResponse): Promise<void> {
  return untilDone(response, () => response.socket?.resetAndDestroy());
}

/** Resolves when the client, or the closing server, ended the connection. */
export function connectionEnd(response: ServerResponse): Promise<void> {
  return untilDone(response, () => undefined);
}

function writeHead(response: ServerResponse, { status, headers, body, announcedBytes }: Reply): void {
  const length = announcedBytes ?? body?.byteLength ?? 0;
  const hasNoLength = status === 204 || status === 304;
  response.writeHead(status, hasNoLength ? headers : { ...headers, "content-length": String(length) });
}

function deliverStart(response: ServerResponse, reply: Reply, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    if (isOver(response)) return resolve();
    response.once("close", resolve);
    writeHead(response, reply);
    response.flushHeaders();
    // Copied: the piece is all that the socket may see, whatever it coalesces.
    response.write(reply.body?.slice(0, bytes) ?? new Uint8Array(0), () => {
      response.off("close", resolve);
      resolve();
    });
  });
}

function untilDone(response: ServerResponse, start: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (isOver(response)) return resolve();
    response.once("finish", resolve);
    response.once("close", resolve);
    start();
  });
}

function isOver(response: ServerResponse): boolean {
  return response.writableFinished || response.closed || response.socket === null || response.socket.destroyed;
}
