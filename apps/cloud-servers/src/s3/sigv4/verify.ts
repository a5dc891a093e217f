import { S3Error } from "../s3-error.ts";
import { type Authorization, readAuthorization, wallMsOf } from "./authorization.ts";
import { canonicalRequest, type SignedRequest, stringToSign } from "./canonical-request.ts";
import type { SignatureSeed } from "./chunk-signature.ts";
import { sameSignature, scopeText, sign, signingKey } from "./signing-key.ts";

/** Who may call. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** With it, requests must carry exactly this token. */
  readonly sessionToken?: string;
}

/** A request before its body was read. */
export interface UnverifiedRequest {
  readonly method: string;
  readonly pathBytes: string;
  readonly query: SignedRequest["query"];
  /** Lower case names. */
  readonly headers: SignedRequest["headers"];
}

/** What the check found. `payloadHash` is what the body must still be held against. */
export interface VerifiedRequest {
  readonly payloadHash: string;
  /** Undefined where nothing was signed: an open server. */
  readonly seed?: SignatureSeed;
}

const skewMsMax = 15 * 60_000;

/**
 * Checks who sent a request and that its head is as it was signed.
 * @param credentials undefined for an open server, which takes every claim but still checks the payload's hash
 * @throws S3Error
 */
export function verifyRequest(
  request: UnverifiedRequest,
  credentials: S3Credentials | undefined,
  region: string,
  wallMs: number,
): VerifiedRequest {
  const header = (name: string): string | undefined => request.headers.find(([each]) => each === name)?.[1];
  const query = (name: string): string | undefined => request.query.find(([each]) => each === name)?.[1];
  const authorization = readAuthorization(header, query);
  const payloadHash = payloadHashOf(authorization, header, query);
  if (credentials === undefined) return { payloadHash };
  if (authorization === undefined) throw new S3Error("AccessDenied");
  checkTime(authorization, wallMs);
  checkScope(authorization, region);
  checkIdentity(authorization, credentials);
  checkSignedHeaders(authorization, request);
  const scope = scopeText(authorization.scope);
  const key = signingKey(credentials.secretAccessKey, authorization.scope);
  const canonical = canonicalRequest({
    ...request,
    query: request.query.filter(([name]) => authorization.form === "header" || name !== "X-Amz-Signature"),
    signedHeaders: authorization.signedHeaders,
    payloadHash,
  });
  const text = stringToSign(authorization.timestamp, scope, canonical);
  const signature = sign(key, text);
  if (!sameSignature(signature, authorization.signature)) {
    const details = { StringToSign: text, CanonicalRequest: canonical, SignatureProvided: authorization.signature };
    throw new S3Error("SignatureDoesNotMatch", { details });
  }
  return { payloadHash, seed: { signature, timestamp: authorization.timestamp, scope, key } };
}

function payloadHashOf(
  authorization: Authorization | undefined,
  header: (name: string) => string | undefined,
  query: (name: string) => string | undefined,
): string {
  const stated = header("x-amz-content-sha256");
  if (stated !== undefined) return stated;
  if (authorization?.form === "header") {
    throw new S3Error("InvalidRequest", { message: "Missing required header for this request: x-amz-content-sha256" });
  }
  return query("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD";
}

function checkTime({ form, timestamp, expiresSeconds }: Authorization, wallMs: number): void {
  const signedMs = wallMsOf(timestamp) ?? 0;
  if (signedMs - wallMs > skewMsMax || (form === "header" && wallMs - signedMs > skewMsMax)) {
    const details = { RequestTime: timestamp, ServerTime: new Date(wallMs).toISOString() };
    throw new S3Error("RequestTimeTooSkewed", {
      details: { ...details, MaxAllowedSkewMilliseconds: String(skewMsMax) },
    });
  }
  if (expiresSeconds !== undefined && wallMs > signedMs + expiresSeconds * 1000) {
    throw new S3Error("AccessDenied", { message: "Request has expired" });
  }
}

function checkScope({ form, scope, timestamp }: Authorization, region: string): void {
  const code = form === "header" ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError";
  if (scope.region !== region) {
    const message = `The region '${scope.region}' is wrong; expecting '${region}'`;
    throw new S3Error(code, { message, details: { Region: region } });
  }
  if (scope.service !== "s3")
    throw new S3Error(code, { message: `The service '${scope.service}' is wrong; expecting 's3'` });
  if (!timestamp.startsWith(scope.date)) {
    throw new S3Error(code, { message: `The date '${scope.date}' of the credential is not the date of the request` });
  }
}

function checkIdentity({ accessKeyId, sessionToken }: Authorization, credentials: S3Credentials): void {
  // A temporary key without its token is as unknown as any other.
  const lacksToken = credentials.sessionToken !== undefined && sessionToken === undefined;
  if (accessKeyId !== credentials.accessKeyId || lacksToken) {
    throw new S3Error("InvalidAccessKeyId", { details: { AWSAccessKeyId: accessKeyId } });
  }
  if (sessionToken !== credentials.sessionToken) throw new S3Error("InvalidToken");
}

/** The host and all that belongs to the protocol must be signed, or an intermediary could change their meaning. */
function checkSignedHeaders({ form, signedHeaders }: Authorization, { headers }: UnverifiedRequest): void {
  const sorted = [...signedHeaders].sort();
  if (signedHeaders.some((name, index) => name !== sorted[index] || name !== name.toLowerCase())) {
    throw new S3Error(form === "header" ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError");
  }
  const needed = headers.map(([name]) => name).filter((name) => name === "host" || name.startsWith("x-amz-"));
  const unsigned = needed.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0) {
    const details = { HeadersNotSigned: unsigned.join(", ") };
    throw new S3Error("AccessDenied", {
      message: "There were headers present in the request which were not signed",
      details,
    });
  }
}
