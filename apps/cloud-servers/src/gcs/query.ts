/** Query parameters, read strictly: one that is unknown, twice there or unreadable is refused, never passed over. */
import { ApiError, invalid, invalidParameter, notImplemented, required } from "./api-error.ts";

/** Parameters of every method. They change how an answer looks or who pays, not what happens. */
const common = new Set(["alt", "fields", "key", "prettyPrint", "quotaUser", "uploadType", "userIp", "userProject"]);

/**
 * Parameters of the API that this server leaves out → the one value that asks for nothing.
 * Any other value is answered with 501.
 */
const leftOut: Readonly<Record<string, string | undefined>> = {
  destinationKmsKeyName: undefined,
  destinationPredefinedAcl: undefined,
  filter: undefined,
  includeFoldersAsPrefixes: "false",
  kmsKeyName: undefined,
  matchGlob: undefined,
  overrideUnlockedRetention: undefined,
  predefinedAcl: undefined,
  projection: "noAcl",
  restoreToken: undefined,
  softDeleted: "false",
  versions: "false",
};

const int64Max = 2n ** 63n - 1n;

/** The parameters of one request. */
export class Query {
  /** As sent, without the question mark. */
  readonly text: string;
  readonly #values: ReadonlyMap<string, string>;

  /** @throws ApiError 400 for a broken percent-encoding and a repeated name */
  constructor(text: string) {
    this.text = text;
    const values = new Map<string, string>();
    for (const pair of text.split("&")) {
      if (pair === "") continue;
      const equals = pair.indexOf("=");
      const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
      if (values.has(name)) throw invalidParameter(name, "it is there twice");
      values.set(name, equals < 0 ? "" : decodeFormText(pair.slice(equals + 1)));
    }
    this.#values = values;
  }

  /** @throws ApiError 400 for a parameter that the method does not have, 501 for one that this server leaves out */
  refuseOthers(known: readonly string[]): void {
    for (const [name, value] of this.#values) {
      if (common.has(name) || known.includes(name)) continue;
      if (!Object.hasOwn(leftOut, name)) throw invalidParameter(name, "the method has no such parameter");
      if (value !== leftOut[name]) throw notImplemented(`the parameter ${name}=${value}`);
    }
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  require(name: string): string {
    const value = this.get(name);
    if (value === undefined || value === "") throw required(name);
    return value;
  }

  /** 0..2^63-1. */
  int64(name: string): bigint | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,19}$/.test(value) || BigInt(value) > int64Max) throw invalidParameter(name, "not an int64 from 0 up");
    return BigInt(value);
  }

  boolean(name: string): boolean {
    const value = this.get(name) ?? "false";
    if (value !== "true" && value !== "false") throw invalidParameter(name, "neither true nor false");
    return value === "true";
  }

  /** For the request log. */
  toRecord(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#values);
  }
}

/** One decoding, strict: a "%" that begins no UTF-8 character is refused. */
export function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`Not the percent-encoding of UTF-8: ${text.slice(0, 100)}`);
  }
}

function decodeFormText(text: string): string {
  return decodeOnce(text.replaceAll("+", " "));
}

/** What `alt` asks for. */
export function wantsMedia(query: Query): boolean {
  const alt = query.get("alt") ?? "json";
  if (alt !== "json" && alt !== "media") throw new ApiError(400, "invalidAltValue", `No such alt: ${alt}`);
  return alt === "media";
}
