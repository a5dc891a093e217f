/** Asks a token endpoint for an access token: RFC 7523 for service accounts, RFC 6749 section 6 for users. */
import { sign } from "node:crypto";
import type http from "node:http";
import type { Clock } from "@varve/fs-core";
import { readAnswer, sendRequest } from "./gcs-request.ts";
import type { TokenGrant } from "./google-credentials.ts";
import { mapConnectionError, mapTokenAnswer } from "./map-gcs-error.ts";

export interface AccessToken {
  readonly value: string;
  /** On the monotonic clock. */
  readonly expiresUs: number;
}

const scope = "https://www.googleapis.com/auth/devstorage.read_write";
/** The longest that Google accepts. */
const assertionSeconds = 3600;
const answerBytesMax = 64 * 1024;

/** @throws StoreError `UNAUTHENTICATED`, `UNAVAILABLE`, `THROTTLED`; what the signal says */
export async function requestToken(
  grant: TokenGrant,
  parts: { readonly clock: Clock; readonly agentFor: (origin: URL) => http.Agent },
  signal: AbortSignal,
): Promise<AccessToken> {
  const url = new URL(grant.tokenUri);
  const askedUs = parts.clock.monotonicUs();
  const form = grantForm(grant, Math.floor(parts.clock.wallUs() / 1e6));
  let answer: Awaited<ReturnType<typeof readAnswer>>;
  try {
    const head = await sendRequest({
      method: "POST",
      origin: url,
      path: url.pathname + url.search,
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: [Buffer.from(form)],
      agent: parts.agentFor(url),
      signal,
    });
    answer = await readAnswer(head, answerBytesMax, signal);
  } catch (error) {
    throw signal.aborted ? error : mapConnectionError(error, { changes: false });
  }
  const { token, seconds } = answer.status === 200 ? parseToken(answer.text) : {};
  if (token === undefined) throw mapTokenAnswer(answer);
  return { value: token, expiresUs: askedUs + (seconds ?? 0) * 1e6 };
}

/** The body of the request. */
function grantForm(grant: TokenGrant, nowSeconds: number): string {
  const fields =
    grant.kind === "user"
      ? {
          grant_type: "refresh_token",
          client_id: grant.clientId,
          client_secret: grant.clientSecret.reveal(),
          refresh_token: grant.refreshToken.reveal(),
        }
      : { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: signedAssertion(grant, nowSeconds) };
  return new URLSearchParams(fields).toString();
}

function signedAssertion(grant: TokenGrant & { kind: "service-account" }, nowSeconds: number): string {
  const header = { alg: "RS256", typ: "JWT", ...(grant.keyId === undefined ? {} : { kid: grant.keyId }) };
  const claims = {
    iss: grant.clientEmail,
    scope,
    aud: grant.tokenUri,
    iat: nowSeconds,
    exp: nowSeconds + assertionSeconds,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), grant.privateKey.reveal()).toString("base64url")}`;
}

function parseToken(text: string): { token?: string; seconds?: number } {
  try {
    const { access_token: token, expires_in: seconds } = JSON.parse(text) as Record<string, unknown>;
    // It becomes a header.
    if (typeof token !== "string" || !/^[!-~]+$/.test(token)) return {};
    return { token, seconds: typeof seconds === "number" && seconds > 0 ? seconds : 0 };
  } catch {
    return {};
  }
}
