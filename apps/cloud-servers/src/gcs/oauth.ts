/**
 * Who may call. With a token, every request but those to an upload session carries it; the token endpoint gives it
 * for a service account's assertion. https://developers.google.com/identity/protocols/oauth2/service-account
 */
import { verify, type KeyObject } from "node:crypto";
import { ApiError, notImplemented } from "./api-error.ts";
import type { Answer, Call } from "./call.ts";
import { isRecord, readAll } from "./json-body.ts";
import { Query } from "./query.ts";
import type { Service } from "./service.ts";

const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const lifeSeconds = 3600;
/** How far the client's clock may be ahead. */
const skewSeconds = 300;

/** What the token endpoint checks and gives. */
export interface TokenIssuer {
  readonly token: string;
  /** Of the service account; without it, signatures go unchecked. */
  readonly publicKey: KeyObject | undefined;
}

/** @throws ApiError 401 */
export function checkBearer(issuer: TokenIssuer | undefined, call: Call): void {
  if (issuer === undefined || call.operation === "oauth.token") return;
  // The address of a session is its own credential.
  if (call.operation.startsWith("uploads.") && call.operation !== "uploads.start") return;
  const place = { locationType: "header", location: "Authorization" } as const;
  const { authorization } = call.headers;
  const headers = { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' };
  if (authorization === undefined) throw new ApiError(401, "required", "Login Required", { place, headers });
  if (authorization !== `Bearer ${issuer.token}`) {
    throw new ApiError(401, "authError", "Invalid Credentials", { place, headers });
  }
}

/** POST /token. Its errors have the shape of RFC 6749, section 5.2. */
export async function grantToken(service: Service, call: Call, issuer: TokenIssuer | undefined): Promise<Answer> {
  if (issuer === undefined) throw notImplemented("tokens: it was started without one");
  const form = new Query((await readAll(call.body, 64 * 1024)).toString());
  if (form.get("grant_type") !== grantType) return refusal("unsupported_grant_type", `not ${grantType}`);
  const nowSeconds = service.clock.wallUs() / 1e6;
  const problem = assertionProblem(form.get("assertion") ?? "", issuer, `${service.origin}/token`, nowSeconds);
  if (problem !== undefined) return refusal("invalid_grant", problem);
  return { status: 200, resource: { access_token: issuer.token, expires_in: lifeSeconds - 1, token_type: "Bearer" } };
}

function refusal(error: string, description: string): Answer {
  return { status: 400, resource: { error, error_description: description } };
}

function assertionProblem(
  assertion: string,
  { publicKey }: TokenIssuer,
  audience: string,
  nowSeconds: number,
): string | undefined {
  const [headerText = "", claimsText = "", signature, ...more] = assertion.split(".");
  const header = parsePart(headerText);
  const claims = parsePart(claimsText);
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0) return "not a JWT";
  if (header["alg"] !== "RS256") return "the algorithm is not RS256";
  const { iss, scope, aud, iat, exp } = claims;
  if (publicKey !== undefined) {
    const signed = Buffer.from(`${headerText}.${claimsText}`);
    if (!verify("sha256", signed, publicKey, Buffer.from(signature, "base64url"))) return "Invalid JWT Signature.";
  }
  if (typeof iss !== "string" || iss === "") return "iss is missing";
  if (typeof scope !== "string" || scope === "") return "scope is missing";
  if (aud !== audience) return `aud is not ${audience}`;
  if (typeof iat !== "number" || typeof exp !== "number") return "iat or exp is missing";
  if (iat > nowSeconds + skewSeconds) return "iat is in the future";
  if (exp <= nowSeconds) return "exp is in the past";
  if (exp - iat > lifeSeconds) return `exp is more than ${lifeSeconds} s after iat`;
  return undefined;
}

function parsePart(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
