/** An HTTP server that notes what it receives and answers what the test says: for what no honest store would answer. */
import http from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  /** As in the request line, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  /** `hang`: never an answer; `stall`: never its end; `reset`: the connection ends; `cut`: it does so after the bytes. */
  readonly fault?: "cut" | "hang" | "reset" | "stall";
}

export interface ScriptedServer {
  readonly url: string;
  readonly received: readonly Received[];
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
  /** Resolves when `count` requests have been received. */
  receives(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startScriptedServer(
  answer: (received: Received, index: number) => Reply,
): Promise<ScriptedServer> {
  const received: Received[] = [];
  const changes = new Set<() => void>();
  const notify = (): void => {
    for (const change of changes) change();
  };
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        changes.delete(check);
        resolve();
      };
      changes.add(check);
      check();
    });
  const sockets = new Set<object>();
  const server = http.createServer((request, response) => void serve(request, response));
  const serve = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    } catch {
      // The client left.
      return;
    }
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const { method = "", headers } = request;
    received.push({ method, path, query: new URLSearchParams(query), headers, body: Buffer.concat(pieces) });
    notify();
    const {
      status = 200,
      headers: extra = {},
      json,
      bytes,
      fault,
    } = answer(received.at(-1) as Received, received.length - 1);
    if (fault === "hang") return;
    if (fault === "reset") {
      request.socket.destroy();
      return;
    }
    const body = bytes ?? (json === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(json)));
    const length = fault === "cut" || fault === "stall" ? body.byteLength + 10 : body.byteLength;
    response.writeHead(status, { "content-length": length, ...extra });
    if (fault === "cut") response.write(body, () => request.socket.destroy());
    else if (fault === "stall") response.write(body);
    else response.end(body);
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      notify();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    idle: () => until(() => sockets.size === 0),
    receives: (count) => until(() => received.length >= count),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
