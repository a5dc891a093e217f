/**
 * One HTTP request, sent once.
 *
 * Requests are spoken here and not through @google-cloud/storage, because that library retries by itself, takes no
 * AbortSignal, loops inside of its resumable uploads and hides which request failed: a driver promises single attempts
 * that really stop. Of the library only the authentication is used (`authorizer.ts`). `node:https` and not `fetch`,
 * because fetch inflates answers, follows redirects with credentials, and has no pool that a store could close.
 */
import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";

export interface HttpRequest {
  readonly method: "DELETE" | "GET" | "POST" | "PUT";
  /** Scheme and host. */
  readonly origin: URL;
  /** Path and query as they go into the request line. Not taken apart again: a URL parser would resolve `%2e%2e`. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** Borrowed until the answer is read or the request has failed. */
  readonly body?: readonly Uint8Array[];
  readonly agent: http.Agent;
  readonly signal: AbortSignal;
}

/** An answer that was read whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Resolves with the head of the answer. @throws what the signal says, or the socket's error */
export function sendRequest({
  method,
  origin,
  path,
  headers,
  body = [],
  agent,
  signal,
}: HttpRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const length = body.reduce((sum, piece) => sum + piece.byteLength, 0);
    const module = origin.protocol === "https:" ? https : http;
    const request = module.request({
      protocol: origin.protocol,
      // Node takes an IPv6 address without its brackets.
      hostname: origin.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: origin.port,
      method,
      path,
      headers: method === "GET" ? headers : { ...headers, "content-length": length },
      agent,
      signal,
    });
    // While it waits for a connection, a request that was destroyed says nothing.
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    request.once("response", (answer) => {
      signal.removeEventListener("abort", onAbort);
      resolve(answer);
    });
    // Stays: a socket may fail once more after its first error.
    request.on("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(signal.aborted ? signal.reason : error);
    });
    for (const piece of body) request.write(piece);
    request.end();
  });
}

/**
 * Reads an answer that is small. One that has more than `bytesMax` closes its connection, and is refused or cut there.
 * @throws what the signal says, or the socket's error, also when the connection ended early
 */
export async function readAnswer(
  answer: IncomingMessage,
  bytesMax: number,
  signal: AbortSignal,
  whenMore: "cut" | "refuse" = "refuse",
): Promise<HttpAnswer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      size += piece.byteLength;
      if (size > bytesMax && whenMore === "refuse") throw new Error(`the answer has more than ${bytesMax} bytes`);
      pieces.push(piece);
      // Leaving the loop destroys the answer.
      if (size > bytesMax) break;
    }
  } catch (error) {
    answer.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    endSending(answer);
  }
  const text = Buffer.concat(pieces).subarray(0, bytesMax).toString("utf8");
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

/** A store that answers before it has read everything will not read the rest: the connection is of no more use. */
function endSending(answer: IncomingMessage): void {
  const request = (answer as IncomingMessage & { readonly req?: http.ClientRequest }).req;
  if (request !== undefined && !request.writableFinished) request.destroy();
}
