/** A service that gives the answers it was told to, and keeps what it was asked. Its hosts are the real ones. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RecordedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RecordedService {
  /** Where it listens, for a driver with connections of its own. */
  readonly origin: string;
  readonly requests: RecordedRequest[];
  /** Leads connections to any https host here, without encryption. */
  readonly agent: Agent;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  stop(): Promise<void>;
}

/** Answers itself, or returns what to answer. */
export type Answering = (
  request: RecordedRequest,
  response: ServerResponse,
) => RecordedAnswer | undefined | Promise<RecordedAnswer | undefined>;

export async function startRecordedService(answering: Answering): Promise<RecordedService> {
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const { method = "", headers, url = "" } = message;
    const body = Buffer.concat(chunks);
    const request = { method, url: new URL(url, `https://${headers.host}`), headers, body };
    requests.push(request);
    const given = await answering(request, response);
    if (given === undefined) return;
    response.writeHead(given.status, given.headers).end(method === "HEAD" ? undefined : given.body);
  };
  const server = createServer((message, response) => {
    // A request that its sender broke off is nothing to answer.
    answer(message, response).catch(() => message.socket.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new PlainAgent(port);
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    agent,
    sockets,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

class PlainAgent extends Agent {
  readonly #port: number;

  constructor(port: number) {
    super({ keepAlive: true });
    this.#port = port;
  }

  override createConnection(): Socket {
    return connect(this.#port, "127.0.0.1");
  }
}
