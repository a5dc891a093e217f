/** The body of a request on its connection: as it arrives, passed over, or held so that it can be served again. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** A request and the connection that it came on. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

/** The connection ended in the middle of a request. */
export class ClientGone extends Error {
  override readonly name: string = "ClientGone";
}

/** Yields until the end of the body; whoever stops before leaves the connection as it is. @throws ClientGone */
export async function* arrivingBody({ request, response, expectsContinue }: Arrival): AsyncGenerator<Uint8Array> {
  if (request.destroyed) throw new ClientGone();
  if (expectsContinue) response.writeContinue();
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false })) yield piece;
  } catch (cause) {
    throw new ClientGone(undefined, { cause });
  }
}

/**
 * Reads what is left of the body, so that the client is able to read the answer: one that still writes sees a broken
 * connection. A client that was never told to continue gets its answer at once, and the connection ends.
 */
export async function discardBody({ request, response, expectsContinue }: Arrival): Promise<void> {
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

/** Reads all of `body`. @returns its pieces; undefined when they are more than `bytesMax` */
export async function heldBody(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<readonly Uint8Array[] | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes <= bytesMax) pieces.push(piece);
  }
  return bytes <= bytesMax ? pieces : undefined;
}

/** A held body as if it arrived. */
export async function* replayedBody(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
