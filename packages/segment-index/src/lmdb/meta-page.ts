/**
 * The two meta pages of an LMDB data file, format version 2 as lmdb 3.5 writes it on little-endian machines.
 *
 * ```
 * page:  0 u64 page number · 8 u64 transaction · 16 u16 – · 18 u16 flags · 20 u16 lower · 22 u16 upper · 24 …
 * meta: 24 u32 magic · 28 u32 version · 32 u64 address · 40 u64 map size · 48 free db · 96 main db
 *      144 u64 last page · 152 u64 transaction · 160 i64 boot id
 * db:    0 u32 (free db: page size) · 4 u16 flags · 6 u16 depth · 8 u64 branch pages · 16 u64 leaf pages
 *       24 u64 overflow pages · 32 u64 entries · 40 u64 root page
 * ```
 */
import { getU53, viewOf } from "../bytes.ts";
import { damaged } from "../errors.ts";

export const pageHeadBytes = 24;
/** Bytes of a `db` structure. */
export const treeBytes = 48;

const metaBytes = 168;
const magic = 0xbeefc0de;
const dataVersion = 2;
const metaPageFlag = 0x08;
/** The free list's own flag, and no persistent option of the environment: any other is one we never set. */
const freeTreeFlags = 0x08;
/** From 512 bytes up, as far as LMDB goes. */
const pageSizes: readonly number[] = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

/** One B+tree of the file. */
export interface Tree {
  readonly flags: number;
  readonly depth: number;
  readonly entries: number;
  /** Undefined when the tree is empty. */
  readonly root: number | undefined;
}

/** A commit, as its meta page tells it. */
export interface Commit {
  readonly pageSize: number;
  /** The highest page number in use then; pages behind it are nobody's. */
  readonly lastPage: number;
  readonly transaction: number;
  readonly main: Tree;
}

/**
 * The last commit: the newer of the two that the meta pages tell of.
 *
 * LMDB serves the meta page with the higher transaction number, so one flipped bit of a number would bring back the state
 * of a commit before the last. Two facts prevent that. Transaction n writes meta page n mod 2, so the numbers are
 * neighbours; and each of our commits writes a new root page with its number in it, which stays as it is until the commit
 * after the next one.
 * @throws IndexError `INDEX_DAMAGED` unless both are sound and were written one after the other
 */
export function readLastCommit(file: Uint8Array): Commit {
  if (file.length < pageHeadBytes + metaBytes) throw damaged("data.mdb: shorter than a meta page");
  const pageSize = viewOf(file).getUint32(48, true);
  if (!pageSizes.includes(pageSize) || file.length < 2 * pageSize) throw damaged("data.mdb: impossible page size");
  const even = readMeta(file, 0, pageSize);
  const odd = readMeta(file, 1, pageSize);
  if (even.transaction % 2 !== 0 || odd.transaction % 2 !== 1 || Math.abs(even.transaction - odd.transaction) !== 1) {
    throw damaged("data.mdb: its meta pages do not follow each other");
  }
  for (const commit of [even, odd]) checkRoot(file, commit);
  return even.transaction > odd.transaction ? even : odd;
}

/** @param offset of a `db` structure inside `view` */
export function readTree(view: DataView, offset: number): Tree {
  const isEmpty = view.getUint32(offset + 40, true) === 0xffffffff && view.getUint32(offset + 44, true) === 0xffffffff;
  return {
    flags: view.getUint16(offset + 4, true),
    depth: view.getUint16(offset + 6, true),
    entries: getU53(view, offset + 32),
    root: isEmpty ? undefined : getU53(view, offset + 40),
  };
}

function checkRoot(file: Uint8Array, { main, pageSize, transaction }: Commit): void {
  const begin = (main.root ?? 0) * pageSize;
  if (begin < 2 * pageSize || begin + pageSize > file.length) throw damaged("data.mdb: a root page is missing");
  if (getU53(viewOf(file), begin + 8) !== transaction)
    throw damaged("data.mdb: a meta page and its root page differ in age");
}

function readMeta(file: Uint8Array, index: 0 | 1, pageSize: number): Commit {
  const view = viewOf(file.subarray(index * pageSize, index * pageSize + pageHeadBytes + metaBytes));
  const sound =
    getU53(view, 0) === index &&
    view.getUint16(18, true) === metaPageFlag &&
    view.getUint32(24, true) === magic &&
    view.getUint32(28, true) === dataVersion &&
    view.getUint32(48, true) === pageSize &&
    view.getUint16(52, true) === freeTreeFlags;
  if (!sound) throw damaged(`data.mdb: meta page ${index} is not one of ours`);
  return { pageSize, lastPage: getU53(view, 144), transaction: getU53(view, 152), main: readTree(view, 96) };
}
