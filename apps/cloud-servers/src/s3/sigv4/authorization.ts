/** What a request says about its own signature, in a header or, presigned, in its query. Pure. */
import { S3Error } from "../s3-error.ts";
import type { CredentialScope } from "./signing-key.ts";

/** A claim to be checked. */
export interface Authorization {
  readonly form: "header" | "query";
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower case, sorted. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  /** Only for presigned requests. */
  readonly expiresSeconds?: number;
  readonly sessionToken?: string;
}

/** One week: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
const expiresSecondsMax = 604_800;

/**
 * @param header the value of a header by its lower case name
 * @param query the value of a parameter by its name
 * @returns undefined for an anonymous request
 * @throws S3Error
 */
export function readAuthorization(
  header: (name: string) => string | undefined,
  query: (name: string) => string | undefined,
): Authorization | undefined {
  const value = header("authorization");
  const algorithm = query("X-Amz-Algorithm");
  if (value !== undefined && algorithm !== undefined) {
    throw new S3Error("InvalidArgument", { message: "Only one auth mechanism allowed" });
  }
  if (value !== undefined) return fromHeader(value, header);
  return algorithm === undefined ? undefined : fromQuery(algorithm, query);
}

function fromHeader(value: string, header: (name: string) => string | undefined): Authorization {
  const fields = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(value)?.[1];
  if (fields === undefined) {
    throw new S3Error("InvalidRequest", {
      message: "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    });
  }
  const parts = new Map(
    fields.split(",").map((field): [string, string] => {
      const [name = "", text = ""] = field.trim().split(/=(.*)/s);
      return [name, text];
    }),
  );
  const credential = parts.get("Credential");
  const signedHeaders = parts.get("SignedHeaders");
  const signature = parts.get("Signature");
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw new S3Error("AuthorizationHeaderMalformed");
  }
  const timestamp = header("x-amz-date") ?? fromHttpDate(header("date"));
  if (timestamp === undefined || wallMsOf(timestamp) === undefined) {
    throw new S3Error("AccessDenied", { message: "AWS authentication requires a valid Date or x-amz-date header" });
  }
  const sessionToken = header("x-amz-security-token");
  return {
    form: "header",
    ...readCredential(credential, () => new S3Error("AuthorizationHeaderMalformed")),
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function fromQuery(algorithm: string, query: (name: string) => string | undefined): Authorization {
  const wrong = (message: string): S3Error => new S3Error("AuthorizationQueryParametersError", { message });
  if (algorithm !== "AWS4-HMAC-SHA256") throw wrong('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  const wanted = (name: string): string => {
    const value = query(name);
    if (value === undefined || value === "") throw wrong(`Query-string authentication requires the parameter ${name}`);
    return value;
  };
  const expires = wanted("X-Amz-Expires");
  if (!/^[0-9]{1,9}$/.test(expires)) throw wrong("X-Amz-Expires should be a number");
  if (Number(expires) > expiresSecondsMax) throw wrong("X-Amz-Expires must be less than a week in seconds");
  const timestamp = wanted("X-Amz-Date");
  if (wallMsOf(timestamp) === undefined) throw wrong("X-Amz-Date must be in the ISO8601 long format");
  const sessionToken = query("X-Amz-Security-Token");
  return {
    form: "query",
    ...readCredential(wanted("X-Amz-Credential"), () => wrong("Error parsing the X-Amz-Credential parameter")),
    signedHeaders: wanted("X-Amz-SignedHeaders").split(";"),
    signature: wanted("X-Amz-Signature"),
    timestamp,
    expiresSeconds: Number(expires),
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function readCredential(text: string, malformed: () => S3Error): Pick<Authorization, "accessKeyId" | "scope"> {
  const match = /^([^/]+)\/([0-9]{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(text);
  if (match === null) throw malformed();
  const [, accessKeyId = "", date = "", region = "", service = ""] = match;
  return { accessKeyId, scope: { date, region, service } };
}

/** Milliseconds since 1970 of `YYYYMMDDTHHMMSSZ`. */
export function wallMsOf(timestamp: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const wallMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(wallMs) ? undefined : wallMs;
}

function fromHttpDate(value: string | undefined): string | undefined {
  const wallMs = value === undefined ? Number.NaN : Date.parse(value);
  if (Number.isNaN(wallMs)) return undefined;
  return new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
}
