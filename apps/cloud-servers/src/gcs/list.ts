/** Lists of objects. https://cloud.google.com/storage/docs/json_api/v1/objects/list */
import { invalidParameter } from "./api-error.ts";
import type { Answer, Call } from "./call.ts";
import { isRecord } from "./json-body.ts";
import { compareNames } from "./object-name.ts";
import { bucketOf, type Service } from "./service.ts";
import { resourceOf } from "./stored-object.ts";

const pageEntriesMax = 1000;

/** One thing in a list. Their order is that of names, and of one name the object before the prefix. */
export interface ListEntry {
  readonly name: string;
  readonly isPrefix: boolean;
}

/** What to list. */
export interface ListQuestion {
  readonly prefix: string;
  readonly delimiter: string;
  /** The first name that may be listed. */
  readonly startOffset: string;
  /** The first name that may not. */
  readonly endOffset: string | undefined;
  readonly includeTrailingDelimiter: boolean;
  /** The last entry that an earlier page had. */
  readonly after: ListEntry | undefined;
}

export async function listObjects(service: Service, call: Call): Promise<Answer> {
  const { query } = call;
  const bucket = bucketOf(service, call.target.bucket);
  const pageToken = query.get("pageToken");
  const delimiter = query.get("delimiter") ?? "";
  const question: ListQuestion = {
    prefix: query.get("prefix") ?? "",
    delimiter,
    startOffset: query.get("startOffset") ?? "",
    endOffset: query.get("endOffset"),
    includeTrailingDelimiter: query.boolean("includeTrailingDelimiter"),
    after: pageToken === undefined || pageToken === "" ? undefined : parseToken(pageToken),
  };
  const maxResults = query.int64("maxResults") ?? BigInt(pageEntriesMax);
  if (maxResults === 0n) throw invalidParameter("maxResults", "not from 1 up");
  const pageEntries = maxResults > pageEntriesMax ? pageEntriesMax : Number(maxResults);
  const entries: ListEntry[] = [];
  let hasMore = false;
  for (const entry of listEntries(bucket.names(), question)) {
    hasMore = entries.length === pageEntries;
    if (hasMore) break;
    entries.push(entry);
  }
  const last = entries.at(-1);
  const items = entries.filter(({ isPrefix }) => !isPrefix).map(({ name }) => bucket.get(name));
  const prefixes = entries.filter(({ isPrefix }) => isPrefix).map(({ name }) => name);
  return {
    status: 200,
    resource: {
      kind: "storage#objects",
      ...(hasMore && last !== undefined ? { nextPageToken: formatToken(last) } : {}),
      ...(prefixes.length > 0 ? { prefixes } : {}),
      ...(items.length > 0 ? { items: items.map((object) => resourceOf(object, service.origin)) } : {}),
    },
  };
}

/** Every entry after `after`, in order, found as asked for. @param names in the order of lists */
export function* listEntries(names: readonly string[], question: ListQuestion): Generator<ListEntry> {
  const { prefix, delimiter, startOffset, endOffset, includeTrailingDelimiter, after } = question;
  const starts = [prefix, startOffset, after?.name ?? ""].sort(compareNames);
  let at = lowerBound(names, starts[2] ?? "");
  while (at < names.length) {
    const name = names[at] as string;
    if (!name.startsWith(prefix) || (endOffset !== undefined && compareNames(name, endOffset) >= 0)) return;
    const cut = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      if (isAfter({ name, isPrefix: false }, after)) yield { name, isPrefix: false };
      at++;
      continue;
    }
    const directory = name.slice(0, cut + delimiter.length);
    const itself = { name, isPrefix: false };
    if (includeTrailingDelimiter && name === directory && isAfter(itself, after)) yield itself;
    const entry = { name: directory, isPrefix: true };
    if (isAfter(entry, after)) yield entry;
    at = firstWithout(names, at, directory);
  }
}

function isAfter(entry: ListEntry, after: ListEntry | undefined): boolean {
  if (after === undefined) return true;
  const order = compareNames(entry.name, after.name);
  return order > 0 || (order === 0 && entry.isPrefix && !after.isPrefix);
}

function lowerBound(names: readonly string[], name: string): number {
  return firstWhere(names, 0, (candidate) => compareNames(candidate, name) >= 0);
}

/** The names that begin with `prefix` are neighbours: the first behind them, from `from` on. */
function firstWithout(names: readonly string[], from: number, prefix: string): number {
  return firstWhere(names, from, (name) => !name.startsWith(prefix));
}

/** Binary search: `holds` is false up to some place from `from` on and true behind it. */
function firstWhere(names: readonly string[], from: number, holds: (name: string) => boolean): number {
  let low = from;
  let high = names.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(names[middle] as string)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function formatToken({ name, isPrefix }: ListEntry): string {
  return Buffer.from(JSON.stringify({ name, isPrefix })).toString("base64url");
}

function parseToken(text: string): ListEntry {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (isRecord(token) && typeof token["name"] === "string" && typeof token["isPrefix"] === "boolean") {
      return { name: token["name"], isPrefix: token["isPrefix"] };
    }
  } catch {
    // Falls through: not a token of this server, in either case.
  }
  throw invalidParameter("pageToken", "not a token that a list gave");
}
