/** Who gives requests their `authorization` header. */
import { readFile } from "node:fs/promises";
import type http from "node:http";
import { type Clock, describeCause, StoreError, untilAborted } from "@varve/fs-core";
import type { GcsAuthClient, Identity } from "./gcs-settings.ts";
import { keyFileGrant, type TokenGrant } from "./google-credentials.ts";
import { mapAuthClientError } from "./map-gcs-error.ts";
import { TokenCache } from "./token-cache.ts";
import { requestToken } from "./token-request.ts";

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  /** The token was given to a request before. */
  readonly isOld: boolean;
}

export interface Authorizer {
  /** @throws StoreError `UNAUTHENTICATED`, `UNAVAILABLE`, `THROTTLED`; what the signal says */
  authorize(url: string, signal: AbortSignal): Promise<Authorization>;
  /** The store did not accept what `authorize` gave. */
  refused(authorization: Authorization): void;
  close(): void;
}

export interface AuthorizerParts {
  readonly clock: Clock;
  readonly agentFor: (origin: URL) => http.Agent;
}

export function createAuthorizer(identity: Identity, parts: AuthorizerParts): Authorizer {
  switch (identity.kind) {
    case "nobody":
      return nobody;
    case "client":
      return clientAuthorizer(() => Promise.resolve(identity.client.reveal()));
    case "default":
      return clientAuthorizer(() => applicationDefault(identity.projectId));
    case "grant":
      return grantAuthorizer(() => Promise.resolve(identity.grant), parts);
    case "key-file":
      return grantAuthorizer(() => readKeyFile(identity.path), parts);
  }
}

const nobody: Authorizer = {
  authorize: () => Promise.resolve({ headers: {}, isOld: false }),
  refused: () => {},
  close: () => {},
};

/** Tokens that this package asks for itself. */
function grantAuthorizer(findGrant: () => Promise<TokenGrant>, parts: AuthorizerParts): Authorizer {
  const cache = new TokenCache(parts.clock, async (signal) => requestToken(await findGrant(), parts, signal));
  return {
    async authorize(_url, signal) {
      const { token, isOld } = await cache.take(signal);
      return { headers: { authorization: `Bearer ${token}` }, isOld };
    },
    refused: ({ headers }) => cache.drop(headers["authorization"]?.slice("Bearer ".length)),
    close: () => cache.close(),
  };
}

/**
 * Tokens of Google's library. It takes no signal: a call that is stopped no longer waits for it, and what comes then is
 * kept by the library for the next one.
 */
function clientAuthorizer(findClient: () => Promise<GcsAuthClient>): Authorizer {
  let finding: Promise<GcsAuthClient> | undefined;
  return {
    async authorize(url, signal) {
      finding ??= findClient();
      const asking = finding.then((client) => client.getRequestHeaders(url));
      try {
        return { headers: Object.fromEntries(new Headers(await untilAborted(asking, signal))), isOld: false };
      } catch (error) {
        if (signal.aborted) throw error;
        finding = undefined;
        throw mapAuthClientError(error);
      }
    },
    refused: () => {},
    close: () => {},
  };
}

/** Loaded at the first use: it takes longer to load than all the rest. */
async function applicationDefault(projectId: string | undefined): Promise<GcsAuthClient> {
  const { Storage } = await import("@google-cloud/storage");
  return new Storage(projectId === undefined ? {} : { projectId }).authClient;
}

async function readKeyFile(path: string): Promise<TokenGrant> {
  const problems: string[] = [];
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    // A parser's message repeats what it could not parse.
    const cause = error instanceof SyntaxError ? undefined : describeCause(error);
    throw new StoreError("UNAUTHENTICATED", "keyFilename: the file cannot be read, or is not JSON", { cause });
  }
  const grant = keyFileGrant(content, "keyFilename", problems);
  if (grant === undefined) throw new StoreError("UNAUTHENTICATED", problems.join("; "));
  return grant;
}
