import { StoreError, Secret, unknownNames } from "@varve/fs-core";
import { parseConnectionString } from "./connection-string.ts";

/** What gives tokens of Microsoft Entra ID: any `TokenCredential` of `@azure/identity` fits. */
export interface AzureTokenCredential {
  getToken(
    scopes: string | string[],
    options?: { readonly abortSignal?: AbortSignal },
  ): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
}

/** Exactly one of `accountKey`, `sasToken`, `credential` and `connectionString`. */
export interface AzureSettings {
  /** The storage account: 3 to 24 lower-case letters and digits. May be left out with `connectionString`. */
  readonly account?: string;
  readonly container: string;
  /** Folder in the container below which all keys lie, without slashes at its ends. Default none. */
  readonly prefix?: string;
  /**
   * The blob service, for other clouds, private endpoints and emulators, for example
   * `http://127.0.0.1:10000/devstoreaccount1`. Default `https://<account>.blob.core.windows.net`.
   */
  readonly endpoint?: string;
  /** The account's key, in base64. */
  readonly accountKey?: string;
  /** A shared access signature of the account or the container, with or without the `?`. */
  readonly sasToken?: string;
  /** Brought by the caller, who owns it. Tokens are sent over https only. */
  readonly credential?: AzureTokenCredential;
  /** As the portal shows it; account, endpoint, and key or signature in one. */
  readonly connectionString?: string;
  /** The account has a hierarchical namespace (Data Lake Storage Gen2): objects can be renamed. Default false. */
  readonly hierarchicalNamespace?: boolean;
  /**
   * The Data Lake service, for `hierarchicalNamespace`. Default: `endpoint` with `.dfs.` in place of `.blob.`; where that is
   * not in it, this setting is needed.
   */
  readonly dfsEndpoint?: string;
  /** Connections to the service at a time, 1..1024; further requests wait for one. Default 64. */
  readonly connectionsMax?: number;
}

/** How requests are signed. */
export type AzureAccess =
  | { readonly kind: "accountKey"; readonly key: Secret<string> }
  | { readonly kind: "sasToken"; readonly token: Secret<string> }
  | { readonly kind: "credential"; readonly credential: Secret<AzureTokenCredential> };

/** {@link AzureSettings}, checked and complete. Safe to log. */
export interface ResolvedAzureSettings {
  readonly account: string;
  readonly container: string;
  /** Empty, or ending in `/`. */
  readonly prefix: string;
  /** Without `/` at the end. */
  readonly endpoint: string;
  /** Only with a hierarchical namespace. Without `/` at the end. */
  readonly dfsEndpoint: string | undefined;
  readonly access: AzureAccess;
  readonly connectionsMax: number;
}

const types: Readonly<Record<keyof AzureSettings, "string" | "boolean" | "number" | "object">> = {
  account: "string",
  container: "string",
  prefix: "string",
  endpoint: "string",
  accountKey: "string",
  sasToken: "string",
  credential: "object",
  connectionString: "string",
  hierarchicalNamespace: "boolean",
  dfsEndpoint: "string",
  connectionsMax: "number",
};
const known = Object.keys(types);
const ways = ["accountKey", "sasToken", "credential", "connectionString"] as const;

/** @throws StoreError `INVALID_ARGUMENT` with every problem, and no value of a secret one */
export function resolveAzureSettings(input: unknown): ResolvedAzureSettings {
  if (typeof input !== "object" || input === null || Array.isArray(input)) throw refused(["want an object"]);
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const problems: string[] = [];
  const settings = wellShaped(given, problems);

  const used = ways.filter((name) => given[name] !== undefined);
  if (used.length !== 1) {
    problems.push(`want exactly one of ${ways.join(", ")}, got ${used.length === 0 ? "none" : used.join(" and ")}`);
  }
  // Of a value that is of the wrong type it has been said already.
  const isMisshapen = (name: keyof AzureSettings): boolean => given[name] !== undefined && settings[name] === undefined;
  const connection = readConnection(settings, problems);
  const account = settings.account ?? connection?.account ?? "";
  const isAccountElsewhere = given["connectionString"] !== undefined || isMisshapen("account");
  if (!/^[a-z0-9]{3,24}$/.test(account) && !isAccountElsewhere) {
    problems.push("account: want 3 to 24 lower-case letters and digits");
  }
  const isContainer = /^(?:[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web)$/.test(settings.container ?? "");
  if (!isContainer && !isMisshapen("container")) {
    problems.push("container: want 3 to 63 lower-case letters, digits and single hyphens, $root or $web");
  }
  const prefix = prefixOf(settings.prefix ?? "", problems);
  const endpoint = endpointOf(
    "endpoint",
    settings.endpoint ?? connection?.endpoint ?? `https://${account || "account"}.blob.core.windows.net`,
    problems,
  );
  const dfsEndpoint = dfsEndpointOf(settings, endpoint, problems);
  const access = accessOf(settings, connection, problems);
  if (access?.kind === "credential" && [endpoint, dfsEndpoint].some((url) => url?.startsWith("http:"))) {
    problems.push("credential: tokens are sent over https only, and the endpoint is an http one");
  }
  const connectionsMax = settings.connectionsMax ?? 64;
  if (!Number.isInteger(connectionsMax) || connectionsMax < 1 || connectionsMax > 1024) {
    problems.push(`connectionsMax: got ${connectionsMax}, want a whole number in 1..1024`);
  }
  if (problems.length > 0 || access === undefined) throw refused(problems);
  return Object.freeze({
    account,
    container: settings.container,
    prefix,
    endpoint,
    dfsEndpoint,
    access,
    connectionsMax,
  });
}

/** The settings that are known and of their type. The others are told in `problems`. */
function wellShaped(given: Readonly<Record<string, unknown>>, problems: string[]): AzureSettings {
  problems.push(...unknownNames(given, known));
  const shaped = Object.entries(given).filter(([name, value]) => {
    if (!Object.hasOwn(types, name)) return false;
    const problem = shapeProblem(name as keyof AzureSettings, value);
    if (problem !== undefined) problems.push(problem);
    return problem === undefined;
  });
  return Object.fromEntries(shaped) as unknown as AzureSettings;
}

function shapeProblem(name: keyof AzureSettings, value: unknown): string | undefined {
  const wanted = types[name];
  if (typeof value !== wanted || value === null) return `${name}: want a value of type ${wanted}`;
  if (name === "credential" && typeof (value as { getToken?: unknown }).getToken !== "function") {
    return "credential: want an object with a method getToken";
  }
  return undefined;
}

function readConnection(
  { connectionString, account, endpoint }: AzureSettings,
  problems: string[],
): Exclude<ReturnType<typeof parseConnectionString>, string> | undefined {
  if (connectionString === undefined) return undefined;
  const parsed = parseConnectionString(connectionString);
  if (typeof parsed === "string") {
    problems.push(`connectionString: ${parsed}`);
    return undefined;
  }
  if (account !== undefined && account !== parsed.account) problems.push("connectionString: is of another account");
  if (endpoint !== undefined) problems.push("endpoint: the connection string says it already");
  return parsed;
}

function prefixOf(prefix: string, problems: string[]): string {
  if (prefix === "") return "";
  const isPlain = prefix
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== ".." && !part.endsWith("."));
  if (!isPlain || /[\p{Control}\\\p{Surrogate}]/u.test(prefix) || Buffer.byteLength(prefix) > 512) {
    problems.push(
      "prefix: want a folder of at most 512 bytes without slashes at its ends, empty, . or .. parts, parts that end in a dot, control characters and backslashes",
    );
  }
  return `${prefix}/`;
}

function endpointOf(name: string, text: string, problems: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    problems.push(`${name}: want an address like https://account.blob.core.windows.net`);
    return "";
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    problems.push(`${name}: takes no credentials, query and fragment`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function dfsEndpointOf(settings: AzureSettings, endpoint: string, problems: string[]): string | undefined {
  if (settings.hierarchicalNamespace !== true) {
    if (settings.dfsEndpoint !== undefined) problems.push("dfsEndpoint: is only for hierarchicalNamespace");
    return undefined;
  }
  if (settings.dfsEndpoint !== undefined) {
    const given = endpointOf("dfsEndpoint", settings.dfsEndpoint, problems);
    if (given.split(":")[0] !== endpoint.split(":")[0]) problems.push("dfsEndpoint: want http or https as in endpoint");
    return given;
  }
  if (endpoint !== "" && !endpoint.includes(".blob.")) {
    problems.push("dfsEndpoint: is needed with hierarchicalNamespace, because the endpoint has no .blob. in its name");
  }
  return endpoint.replace(".blob.", ".dfs.");
}

function accessOf(
  settings: AzureSettings,
  connection: { readonly accountKey: string | undefined; readonly sasToken: string | undefined } | undefined,
  problems: string[],
): AzureAccess | undefined {
  if (settings.credential !== undefined) return { kind: "credential", credential: new Secret(settings.credential) };
  const key = settings.accountKey ?? connection?.accountKey;
  if (key !== undefined) {
    if (!/^[A-Za-z0-9+/]{8,}={0,2}$/.test(key))
      problems.push("accountKey: want the key in base64, as the portal shows it");
    return { kind: "accountKey", key: new Secret(key) };
  }
  const token = (settings.sasToken ?? connection?.sasToken)?.replace(/^\?/, "");
  if (token === undefined) return undefined;
  if (!/(?:^|&)sig=[^&]/.test(token) || /[\s#]/.test(token)) {
    problems.push("sasToken: want a shared access signature, with its field sig");
  }
  return { kind: "sasToken", token: new Secret(token) };
}

function refused(problems: readonly string[]): StoreError {
  return new StoreError("INVALID_ARGUMENT", `Azure settings: ${problems.join("; ")}`);
}
