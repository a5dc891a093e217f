/**
 * Walks the B+trees of an LMDB file held in memory, trusting no byte of it: every number is checked before it is
 * followed, so any input ends in records or in `INDEX_DAMAGED`.
 */
import { getU53, viewOf } from "../bytes.ts";
import { damaged } from "../errors.ts";
import { type Commit, pageHeadBytes, type Tree } from "./meta-page.ts";

/** A key and its value: views into the file. */
export interface TreeRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** How LMDB marked it: 0 for data, 2 for a named database. */
  readonly flags: number;
}

const flagBranch = 0x01;
const flagLeaf = 0x02;
const flagOverflow = 0x04;
/** The value lies on overflow pages. */
const nodeBig = 0x01;
const nodeNamedTree = 0x02;
const nodeHeadBytes = 8;
/** A tree of 32 levels would need more pages than a file can number. */
const depthMax = 32;

export class TreePages {
  readonly #file: Uint8Array;
  readonly #view: DataView;
  readonly #commit: Commit;
  /** One byte a page: 1 once followed. A page has one parent, so a second visit is damage; loops end here too. */
  readonly #seen: Uint8Array;
  #newest = 0;

  constructor(file: Uint8Array, commit: Commit) {
    this.#file = file;
    this.#view = viewOf(file);
    this.#commit = commit;
    this.#seen = new Uint8Array(Math.ceil(file.length / commit.pageSize));
  }

  /** The highest transaction among the pages followed so far. */
  get newestTransaction(): number {
    return this.#newest;
  }

  /**
   * All records of a tree in key order.
   * @throws IndexError `INDEX_DAMAGED`
   */
  records(tree: Tree, name: string): TreeRecord[] {
    const records: TreeRecord[] = [];
    if (tree.depth > depthMax) throw damaged(`data.mdb: ${name} is impossibly deep`);
    if (tree.root !== undefined) this.#walk(tree.root, tree.depth, records);
    if (records.length !== tree.entries) throw damaged(`data.mdb: ${name} has not as many records as it says`);
    for (let index = 1; index < records.length; index++) {
      const [before, after] = [records[index - 1] as TreeRecord, records[index] as TreeRecord];
      if (Buffer.compare(before.key, after.key) >= 0) throw damaged(`data.mdb: ${name} is out of order`);
    }
    return records;
  }

  /** @param depth levels from here down, this one included */
  #walk(page: number, depth: number, records: TreeRecord[]): void {
    if (depth < 1) throw damaged("data.mdb: a tree deeper than it says");
    const isLeaf = depth === 1;
    const begin = this.#open(page, isLeaf ? flagLeaf : flagBranch);
    for (const node of this.#nodes(begin)) {
      if (isLeaf) records.push(this.#record(begin, node));
      else this.#walk(this.#child(node), depth - 1, records);
    }
  }

  /** @returns the page's offset in the file */
  #open(page: number, flags: number): number {
    const { pageSize, lastPage, transaction } = this.#commit;
    const begin = page * pageSize;
    if (page < 2 || page > lastPage || begin + pageSize > this.#file.length)
      throw damaged("data.mdb: a page is missing");
    if (this.#seen[page] === 1) throw damaged("data.mdb: a page with two parents");
    this.#seen[page] = 1;
    const written = getU53(this.#view, begin + 8);
    const sound =
      getU53(this.#view, begin) === page && written <= transaction && this.#view.getUint16(begin + 18, true) === flags;
    if (!sound) throw damaged("data.mdb: a page is not what its parent says");
    this.#newest = Math.max(this.#newest, written);
    return begin;
  }

  /** Offsets in the file of the nodes of a page. Each head lies inside the page. */
  #nodes(begin: number): number[] {
    const { pageSize } = this.#commit;
    // Both bounds count from the end of the page's head; so do the node pointers.
    const lower = this.#view.getUint16(begin + 20, true);
    const upper = this.#view.getUint16(begin + 22, true);
    if (lower % 2 !== 0 || lower > upper || upper > pageSize - pageHeadBytes)
      throw damaged("data.mdb: impossible page bounds");
    const nodes: number[] = [];
    for (let pointer = 0; pointer < lower; pointer += 2) {
      const offset = this.#view.getUint16(begin + pageHeadBytes + pointer, true);
      if (offset < upper || offset + nodeHeadBytes > pageSize - pageHeadBytes)
        throw damaged("data.mdb: a node outside its page");
      nodes.push(begin + pageHeadBytes + offset);
    }
    return nodes;
  }

  /** A branch node's page number: 48 bits over the size and flag fields. */
  #child(node: number): number {
    return this.#view.getUint32(node, true) + this.#view.getUint16(node + 4, true) * 2 ** 32;
  }

  #record(begin: number, node: number): TreeRecord {
    const length = this.#view.getUint32(node, true);
    const flags = this.#view.getUint16(node + 4, true);
    const keyBegin = node + nodeHeadBytes;
    const keyEnd = keyBegin + this.#view.getUint16(node + 6, true);
    if (flags !== 0 && flags !== nodeBig && flags !== nodeNamedTree)
      throw damaged("data.mdb: a record of an unknown kind");
    const valueEnd = keyEnd + (flags === nodeBig ? 24 : length);
    if (valueEnd > begin + this.#commit.pageSize) throw damaged("data.mdb: a record outside its page");
    const key = this.#file.subarray(keyBegin, keyEnd);
    if (flags === nodeBig) return { key, value: this.#overflow(keyEnd, length), flags: 0 };
    return { key, value: this.#file.subarray(keyEnd, valueEnd), flags };
  }

  /** The value of a node that only names its first overflow page; its pages are consecutive, with one head. */
  #overflow(node: number, length: number): Uint8Array {
    const page = getU53(this.#view, node);
    const begin = this.#open(page, flagOverflow) + pageHeadBytes;
    const pages = Math.ceil((pageHeadBytes + length) / this.#commit.pageSize);
    for (let next = page + 1; next < page + pages; next++) {
      if (this.#seen[next] !== 0) throw damaged("data.mdb: a page with two parents");
      this.#seen[next] = 1;
    }
    if (begin + length > this.#file.length) throw damaged("data.mdb: a value ends behind the file");
    return this.#file.subarray(begin, begin + length);
  }
}
