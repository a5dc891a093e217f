/** What a bucket is opened with, and the check of it. */
import { StoreError, Secret, unknownNames } from "@varve/fs-core";
import { type GcsCredentials, isSafeForSecrets, serviceAccountGrant, type TokenGrant } from "./google-credentials.ts";

/** Where the objects are, and who asks. At most one of `credentials`, `keyFilename` and `authClient`. */
export interface GcsSettings {
  readonly bucket: string;
  /** Folder in the bucket, without slashes at its ends. Keys are relative to it. Default: the whole bucket. */
  readonly prefix?: string;
  /**
   * Another server, for example a private endpoint or one for tests. Default `https://storage.googleapis.com`. It gets
   * requests without credentials unless some are given here.
   */
  readonly endpoint?: string;
  /** Spares application default credentials the search for it. No request names it. */
  readonly projectId?: string;
  /** The key of a service account. */
  readonly credentials?: GcsCredentials;
  /** File with the key of a service account, or with what `gcloud auth application-default login` wrote. */
  readonly keyFilename?: string;
  /** Whatever gives headers, for example a `GoogleAuth` or an `Impersonated` of google-auth-library. Stays the caller's. */
  readonly authClient?: GcsAuthClient;
  /** Project that pays for the requests. Needed where the bucket's requester pays. */
  readonly userProject?: string;
}

/** The part of Google's authentication clients that is used. */
export interface GcsAuthClient {
  /** Names and values of the headers that authorize a request to `url`; `authorization` above all. */
  getRequestHeaders(url?: string): Promise<Headers | Record<string, string>>;
}

/** Who asks. */
export type Identity =
  | { readonly kind: "nobody" }
  | { readonly kind: "default"; readonly projectId: string | undefined }
  | { readonly kind: "client"; readonly client: Secret<GcsAuthClient> }
  | { readonly kind: "key-file"; readonly path: string }
  | { readonly kind: "grant"; readonly grant: TokenGrant };

/** With every default filled in. Safe to show. */
export interface ResolvedGcsSettings {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** Scheme, host, and path without a slash at its end. */
  readonly endpoint: string;
  readonly identity: Identity;
  readonly userProject: string | undefined;
}

const defaultEndpoint = "https://storage.googleapis.com";
const prefixBytesMax = 512;

const names = [
  "bucket",
  "prefix",
  "endpoint",
  "projectId",
  "credentials",
  "keyFilename",
  "authClient",
  "userProject",
] as const;

/** @throws StoreError `INVALID_ARGUMENT` with every problem, and without any value that may be secret */
export function resolveGcsSettings(input: unknown): ResolvedGcsSettings {
  const problems: string[] = [];
  const given = (typeof input === "object" && input !== null ? input : {}) as Readonly<Record<string, unknown>>;
  problems.push(...unknownNames(given, names));
  const { bucket, prefix = "", endpoint } = given;
  if (typeof bucket !== "string" || !/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
    problems.push("bucket: want a bucket's name, 3 to 222 of a-z 0-9 . _ -");
  }
  if (typeof prefix !== "string" || !isPrefix(prefix)) {
    problems.push(
      `prefix: want a folder without slashes at its ends, empty parts, . and .., up to ${prefixBytesMax} bytes`,
    );
  }
  const url = endpointOf(endpoint, problems);
  const identity = identityOf(given, endpoint !== undefined, problems);
  if (identity.kind !== "nobody" && url !== undefined && !isSafeForSecrets(url)) {
    problems.push("endpoint: credentials go to https only, or to this machine");
  }
  const userProject = nameOf(given, "userProject", problems);
  if (problems.length > 0) throw new StoreError("INVALID_ARGUMENT", `gcs settings: ${problems.join("; ")}`);
  return Object.freeze({
    bucket: bucket as string,
    prefix: prefix === "" ? "" : `${prefix as string}/`,
    endpoint: (url as URL).href.replace(/\/+$/, ""),
    identity,
    userProject,
  });
}

function endpointOf(given: unknown, problems: string[]): URL | undefined {
  const text = given ?? defaultEndpoint;
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === ""
  ) {
    return url;
  }
  problems.push("endpoint: want an http or https URL without credentials, query and fragment");
  return undefined;
}

function identityOf(given: Readonly<Record<string, unknown>>, isCustomEndpoint: boolean, problems: string[]): Identity {
  const { credentials, keyFilename, authClient } = given;
  const projectId = nameOf(given, "projectId", problems);
  if ([credentials, keyFilename, authClient].filter((value) => value !== undefined).length > 1) {
    problems.push("credentials, keyFilename, authClient: give one of them");
  }
  const isDefault = credentials === undefined && keyFilename === undefined && authClient === undefined;
  if (projectId !== undefined && (!isDefault || isCustomEndpoint)) {
    problems.push("projectId: of use to application default credentials only; leave it out");
  }
  if (credentials !== undefined) {
    const grant = serviceAccountGrant(credentials, "credentials", problems);
    return grant === undefined ? { kind: "nobody" } : { kind: "grant", grant };
  }
  if (keyFilename !== undefined) {
    if (typeof keyFilename === "string" && keyFilename !== "") return { kind: "key-file", path: keyFilename };
    problems.push("keyFilename: want a path");
  }
  if (authClient !== undefined) {
    if (isAuthClient(authClient)) return { kind: "client", client: new Secret(authClient) };
    problems.push("authClient: want an object with getRequestHeaders(url)");
  }
  return isCustomEndpoint || !isDefault ? { kind: "nobody" } : { kind: "default", projectId };
}

function isAuthClient(value: unknown): value is GcsAuthClient {
  return (
    typeof value === "object" &&
    value !== null &&
    "getRequestHeaders" in value &&
    typeof value.getRequestHeaders === "function"
  );
}

/** A project's id or number. */
function nameOf(given: Readonly<Record<string, unknown>>, name: string, problems: string[]): string | undefined {
  const value = given[name];
  if (value === undefined || (typeof value === "string" && /^[a-z0-9][a-z0-9.:-]{0,99}$/.test(value))) return value;
  problems.push(`${name}: want a project's id`);
  return undefined;
}

function isPrefix(prefix: string): boolean {
  if (prefix === "") return true;
  if (/[\p{Control}\p{Surrogate}\\]/u.test(prefix) || Buffer.byteLength(prefix) > prefixBytesMax) return false;
  return prefix.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
