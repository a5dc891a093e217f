/** Pages of names, with prefixes that stand for many. Pure. */

/** What a listing shows: a key, or the part that keys share up to the delimiter. */
export interface ListedName {
  readonly name: string;
  readonly isPrefix: boolean;
}

/** Which part of the names. */
export interface ListingQuery {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** Names up to this key are left out before they are grouped. */
  readonly startAfter: string | undefined;
  /** The last name of the page before. */
  readonly continueAfter: string | undefined;
  readonly max: number;
}

/** A page. */
export interface ListingPage {
  readonly entries: readonly ListedName[];
  /** The last name of this page, if there are more. */
  readonly next: string | undefined;
}

/** The order of a listing: negative when `a` comes first. */
export type NameOrder = (a: string, b: string) => number;

/** S3's: by the bytes of UTF-8. (Not by UTF-16 units, which put U+E000 behind U+10000.) */
export const byUtf8: NameOrder = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** One page of `keys`, which may be in any order. */
export function listPage(keys: Iterable<string>, query: ListingQuery, order: NameOrder): ListingPage {
  const { prefix, delimiter, startAfter, continueAfter, max } = query;
  const names = new Map<string, boolean>();
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue;
    if (startAfter !== undefined && order(key, startAfter) <= 0) continue;
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) names.set(key, false);
    else names.set(key.slice(0, end + delimiter.length), true);
  }
  const entries = [...names]
    .map(([name, isPrefix]): ListedName => ({ name, isPrefix }))
    .filter(({ name }) => continueAfter === undefined || order(name, continueAfter) > 0)
    .sort((a, b) => order(a.name, b.name));
  const page = entries.slice(0, max);
  // A page of none is the whole answer to a question for none.
  return { entries: page, next: max > 0 && entries.length > max ? page.at(-1)?.name : undefined };
}

/** The `encoding-type=url` of listings: as in forms, but `/` stands for itself. */
export function encodeName(name: string): string {
  return encodeURIComponent(name)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+");
}
