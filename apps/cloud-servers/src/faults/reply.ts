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
  /** In one piece or several. Owned by whoever made it: nobody writes to it. */
  readonly body?: Uint8Array | readonly Uint8Array[];
  /** For the answer to a HEAD: the length of the body that it does not have. */
  readonly announcedBytes?: number;
}

/** The body's pieces, first to last. */
export function piecesOf({ body = [] }: Reply): readonly Uint8Array[] {
  return body instanceof Uint8Array ? [body] : body;
}

/** How long the body is, or would be. */
export function bodyBytesOf(reply: Reply): number {
  return reply.announcedBytes ?? piecesOf(reply).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Sends all of it. */
export function deliver(response: ServerResponse, reply: Reply): Promise<void> {
  return untilDone(response, () => {
    writeHead(response, reply);
    endWith(response, piecesOf(reply));
  });
}

/** Sends the head and the first `bytes` of the body. */
export function deliverStart(response: ServerResponse, reply: Reply, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    if (isOver(response)) return resolve();
    response.once("close", resolve);
    writeHead(response, reply);
    response.flushHeaders();
    // Copied: the piece is all that the socket may see, whatever it coalesces.
    response.write(Buffer.concat(piecesOf(reply)).subarray(0, bytes), () => {
      response.off("close", resolve);
      resolve();
    });
  });
}

/** After {@link deliverStart}: sends what is behind the first `bytes` of the body. */
export function deliverRest(response: ServerResponse, reply: Reply, bytes: number): Promise<void> {
  return untilDone(response, () => endWith(response, [Buffer.concat(piecesOf(reply)).subarray(bytes)]));
}

/** After {@link deliverStart}: ends the connection as if there were no more. */
export function endEarly(response: ServerResponse, how: "fin" | "reset"): Promise<void> {
  return untilDone(response, () => {
    if (how === "reset") response.socket?.resetAndDestroy();
    else response.socket?.destroySoon();
  });
}

/** Resets the connection without an answer. */
export function reset(response: ServerResponse): Promise<void> {
  return untilDone(response, () => response.socket?.resetAndDestroy());
}

/** Resolves when the client, or the closing server, ended the connection. */
export function connectionEnd(response: ServerResponse): Promise<void> {
  return untilDone(response, () => undefined);
}

function writeHead(response: ServerResponse, reply: Reply): void {
  const { status, headers } = reply;
  const hasNoLength = status === 204 || status === 304;
  response.writeHead(status, hasNoLength ? headers : { ...headers, "content-length": String(bodyBytesOf(reply)) });
}

function endWith(response: ServerResponse, pieces: readonly Uint8Array[]): void {
  for (const piece of pieces.slice(0, -1)) response.write(piece);
  response.end(pieces.at(-1));
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
