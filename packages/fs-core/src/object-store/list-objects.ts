/** Listings, page by page, with what the store cannot do itself done here. */
import type { DriverListPage, ObjectStoreDriver } from "./object-driver.ts";
import type { IncompleteUpload, ListEntry, ListOptions } from "./object-store.ts";
import { compareKeys } from "./object-key.ts";
import { StoreError } from "./store-error.ts";
import { refuse } from "./write-request.ts";

/** Sends one request of a listing. */
export type Request = <T>(
  operation: string,
  send: (call: { readonly signal: AbortSignal }) => Promise<T>,
) => Promise<T>;

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkListOptions({ startAfter, delimiter, pageSize }: ListOptions): void {
  const problems: string[] = [];
  if (startAfter !== undefined && typeof startAfter !== "string") problems.push("startAfter: want a key");
  if (delimiter !== undefined && delimiter !== "/") problems.push('delimiter: want "/", or none');
  if (pageSize !== undefined && !(Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= 1000)) {
    problems.push(`pageSize: got ${pageSize}, want a whole number in 1..1000`);
  }
  refuse("list", problems);
}

/** In the store's order. Within a page with a delimiter, objects and folders are merged in order of their keys. */
export async function* listObjects(
  driver: ObjectStoreDriver,
  { prefix = "", startAfter, delimiter, pageSize = 1000 }: ListOptions,
  request: Request,
): AsyncGenerator<ListEntry, void, undefined> {
  const { listAnyPrefix, listStartAfter, orderedList } = driver.capabilities;
  const sentPrefix = listAnyPrefix ? prefix : prefix.slice(0, prefix.lastIndexOf("/") + 1);
  let pageToken: string | undefined;
  do {
    const page: DriverListPage = await request("list", (call) =>
      driver.listPage(
        {
          prefix: sentPrefix,
          startAfter: listStartAfter && startAfter !== "" ? startAfter : undefined,
          delimiter,
          pageSize,
          pageToken,
        },
        call,
      ),
    );
    for (const entry of entriesOf(page, orderedList)) {
      const name = entry.kind === "object" ? entry.key : entry.prefix;
      if (!name.startsWith(prefix)) continue;
      if (startAfter !== undefined && !isAfter(entry, startAfter)) continue;
      yield entry;
    }
    pageToken = nextToken(page, pageToken, "list");
  } while (pageToken !== undefined);
}

/** @throws StoreError `IO` for a page that leads to itself: the listing would never end */
function nextToken(
  { nextPageToken }: { readonly nextPageToken: string | undefined },
  pageToken: string | undefined,
  operation: string,
): string | undefined {
  if (nextPageToken === undefined || nextPageToken !== pageToken) return nextPageToken;
  throw new StoreError("IO", `${operation}: the store's page leads to itself`, { operation });
}

/** A folder is shown while any of its keys may come after. */
function isAfter(entry: ListEntry, startAfter: string): boolean {
  if (entry.kind === "object") return compareKeys(entry.key, startAfter) > 0;
  return compareKeys(entry.prefix, startAfter) > 0 || startAfter.startsWith(entry.prefix);
}

function entriesOf({ objects, prefixes }: DriverListPage, isOrdered: boolean): ListEntry[] {
  const entries: ListEntry[] = objects.map((object) => ({ kind: "object", ...object }));
  if (prefixes.length === 0) return entries;
  entries.push(...prefixes.map((prefix): ListEntry => ({ kind: "prefix", prefix })));
  return isOrdered ? entries.toSorted((a, b) => compareKeys(nameOf(a), nameOf(b))) : entries;
}

function nameOf(entry: ListEntry): string {
  return entry.kind === "object" ? entry.key : entry.prefix;
}

/** Every upload that waits for its end. */
export async function* listUploads(
  driver: ObjectStoreDriver,
  prefix: string,
  request: Request,
): AsyncGenerator<IncompleteUpload, void, undefined> {
  let pageToken: string | undefined;
  do {
    const page: Awaited<ReturnType<NonNullable<ObjectStoreDriver["listUploadsPage"]>>> = await request(
      "listUploads",
      (call) =>
        (driver.listUploadsPage as NonNullable<ObjectStoreDriver["listUploadsPage"]>)({ prefix, pageToken }, call),
    );
    for (const upload of page.uploads) if (upload.key.startsWith(prefix)) yield upload;
    pageToken = nextToken(page, pageToken, "listUploads");
  } while (pageToken !== undefined);
}
