/** A page of a listing, for drivers that hold all keys at hand. */
import { compareKeys } from "./object-key.ts";
import type { DriverInfo, DriverList, DriverListPage } from "./object-driver.ts";

type Listed = Pick<DriverInfo, "key" | "size" | "version" | "lastModifiedMs">;

/** @param sorted by key. The page's token is the last name on it. */
export function pageOf(
  sorted: readonly Listed[],
  { prefix, startAfter, delimiter, pageSize, pageToken }: DriverList,
): DriverListPage {
  const objects: Listed[] = [];
  const prefixes: string[] = [];
  let last = pageToken ?? startAfter;
  // A token that is a folder stands for all keys in it.
  const isPast = (key: string): boolean =>
    last === undefined ||
    (compareKeys(key, last) > 0 && !(pageToken?.endsWith("/") === true && key.startsWith(pageToken)));
  for (const { key, size, version, lastModifiedMs } of sorted) {
    if (!key.startsWith(prefix) || !isPast(key)) continue;
    const folder = delimiter === undefined ? undefined : folderOf(key, prefix, delimiter);
    if (folder !== undefined && folder === prefixes.at(-1)) continue;
    if (objects.length + prefixes.length === pageSize) return { objects, prefixes, nextPageToken: last };
    if (folder === undefined) objects.push({ key, size, version, lastModifiedMs });
    else prefixes.push(folder);
    last = folder ?? key;
    pageToken = last;
  }
  return { objects, prefixes, nextPageToken: undefined };
}

function folderOf(key: string, prefix: string, delimiter: string): string | undefined {
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + 1);
}
