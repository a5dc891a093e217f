/** A server that says what it is told to, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly method: string;
  /** As it came: path and query, escaped. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What becomes of the next request: an answer, or whatever is done with the sockets. */
export type Script = ScriptedAnswer | ((request: IncomingMessage, response: ServerResponse) => void);

export interface ScriptedServer {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** For the next requests, one each; the last one stays. */
  play(...scripts: readonly Script[]): void;
  /** Resolves when a socket of the server has closed since it was asked. */
  socketClosed(): Promise<void>;
  close(): Promise<void>;
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  let scripts: readonly Script[] = [{ status: 500 }];
  let onClose: (() => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const [script = { status: 500 }, ...rest] = scripts;
    if (rest.length > 0) scripts = rest;
    if (typeof script === "function") {
      script(request, response);
      return;
    }
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({
        method: request.method ?? "",
        target: request.url ?? "",
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      });
      const length = Buffer.byteLength(script.body ?? "");
      response.writeHead(script.status, { "content-length": length, ...script.headers });
      response.end(request.method === "HEAD" ? undefined : script.body);
    });
  });
  server.on("connection", (socket) => {
    socket.once("close", () => {
      for (const notify of onClose) notify();
      onClose = [];
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    play(...next) {
      scripts = next;
      requests.length = 0;
    },
    socketClosed: () => new Promise((resolve) => onClose.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
