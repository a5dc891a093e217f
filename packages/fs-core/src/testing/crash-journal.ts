/**
 * What of a memory tree would survive a power cut: the bookkeeping of {@link CrashableFileSystem}.
 *
 * Always true:
 *  I1  durable bytes of a file + its pending changes, in order = its live bytes (without failed syncs)
 *  I2  names at the last fold + the changes of names, in order = the live names (without failed syncs)
 *  I3  sequence numbers grow over both kinds of changes: together they are one history
 */
import type { MemoryJournal, MemoryName } from "../file-system/memory-journal.ts";
import { MemoryBytes, type MemoryDirectory, type MemoryFile, type MemoryNode } from "../file-system/memory-node.ts";

/** An unsynced change of a file's bytes. */
export type DataChange =
  | { readonly kind: "write"; readonly sequence: number; readonly position: number; readonly data: Uint8Array }
  | { readonly kind: "resize"; readonly sequence: number; readonly size: number };

/** A change of names. A rename is one change. */
export interface NameChange {
  readonly sequence: number;
  readonly node: MemoryNode;
  readonly removed: MemoryName | undefined;
  readonly added: MemoryName | undefined;
  /** The directories whose sync is still owed. */
  readonly unsynced: Set<MemoryDirectory>;
  /** A sync that covered it failed: it will never be durable. */
  lost: boolean;
}

export class CrashJournal implements MemoryJournal {
  readonly #root: MemoryDirectory;
  readonly #durable: WeakMap<MemoryFile, MemoryBytes> = new WeakMap();
  readonly #pending: Map<MemoryFile, DataChange[]> = new Map();
  readonly #folded: WeakMap<MemoryDirectory, Map<string, MemoryNode>> = new WeakMap();
  #names: NameChange[] = [];
  #sequence = 0;

  /** Everything below `root` counts as durable. */
  constructor(root: MemoryDirectory) {
    this.#root = root;
    this.#adopt(root);
  }

  mark(): number {
    return this.#sequence;
  }

  wrote(file: MemoryFile, position: number, data: Uint8Array): void {
    if (data.byteLength === 0) return;
    this.#change(file, { kind: "write", sequence: this.#next(), position, data: data.slice() });
  }

  resized(file: MemoryFile, size: number): void {
    this.#change(file, { kind: "resize", sequence: this.#next(), size });
  }

  synced(file: MemoryFile, mark: number): void {
    const durable = this.durableBytes(file);
    for (const change of this.#settle(file, mark)) applyChange(durable, change);
  }

  named(directory: MemoryDirectory, name: string, node: MemoryNode): void {
    this.#changeNames(node, undefined, { directory, name });
  }

  unnamed(directory: MemoryDirectory, name: string, node: MemoryNode): void {
    this.#changeNames(node, { directory, name }, undefined);
  }

  renamed(from: MemoryName, to: MemoryName, node: MemoryNode): void {
    this.#changeNames(node, from, to);
  }

  directorySynced(directory: MemoryDirectory, mark: number): void {
    for (const change of this.#names) {
      if (change.sequence <= mark && !change.lost) change.unsynced.delete(directory);
    }
    this.#fold();
  }

  /** A sync of `file` failed: what it covered is gone for good, even if a later sync succeeds. */
  syncFailed(file: MemoryFile): void {
    this.#settle(file, this.#sequence);
  }

  /** As {@link syncFailed}, for names. */
  directorySyncFailed(directory: MemoryDirectory): void {
    for (const change of this.#names) {
      if (change.unsynced.has(directory)) change.lost = true;
    }
    this.#fold();
  }

  /** Not a copy. */
  durableBytes(file: MemoryFile): MemoryBytes {
    let bytes = this.#durable.get(file);
    if (bytes === undefined) {
      bytes = new MemoryBytes();
      this.#durable.set(file, bytes);
    }
    return bytes;
  }

  pendingOf(file: MemoryFile): readonly DataChange[] {
    return this.#pending.get(file) ?? [];
  }

  /** Sequence numbers of all that a power cut may take, oldest first. */
  pendingSequences(): number[] {
    const data = [...this.#pending.values()].flat().map((change) => change.sequence);
    const names = this.#names.filter((change) => !change.lost && change.unsynced.size > 0);
    return [...data, ...names.map((change) => change.sequence)].sort((a, b) => a - b);
  }

  /** Directories and their entries if exactly the durable changes of names and those that `survives` picks happened. */
  namesAfter(survives: (change: NameChange) => boolean): Map<MemoryDirectory, Map<string, MemoryNode>> {
    const tree = new Map<MemoryDirectory, Map<string, MemoryNode>>();
    const entriesOf = (directory: MemoryDirectory): Map<string, MemoryNode> => {
      const known = tree.get(directory) ?? new Map(this.#folded.get(directory) ?? []);
      tree.set(directory, known);
      return known;
    };
    for (const change of this.#names) {
      if (change.lost) continue;
      if (change.unsynced.size === 0 || survives(change)) applyName(change, entriesOf);
    }
    for (const directory of reachable(this.#root, entriesOf)) entriesOf(directory);
    return tree;
  }

  #adopt(directory: MemoryDirectory): void {
    this.#folded.set(directory, new Map(directory.entries));
    for (const node of directory.entries.values()) {
      if (node.kind === "directory") this.#adopt(node);
      else this.#durable.set(node, node.bytes.clone());
    }
  }

  #next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #change(file: MemoryFile, change: DataChange): void {
    const pending = this.#pending.get(file);
    if (pending === undefined) this.#pending.set(file, [change]);
    else pending.push(change);
  }

  /** Takes the changes up to `mark` off the pending ones. */
  #settle(file: MemoryFile, mark: number): DataChange[] {
    const pending = this.#pending.get(file) ?? [];
    const later = pending.filter((change) => change.sequence > mark);
    if (later.length === 0) this.#pending.delete(file);
    else this.#pending.set(file, later);
    return pending.filter((change) => change.sequence <= mark);
  }

  #changeNames(node: MemoryNode, removed: MemoryName | undefined, added: MemoryName | undefined): void {
    const touched = [removed, added].filter((name) => name !== undefined).map((name) => name.directory);
    this.#names.push({ sequence: this.#next(), node, removed, added, unsynced: new Set(touched), lost: false });
  }

  /** Folds the settled head of the history. Not more: names must change in the order in which they did. */
  #fold(): void {
    const entriesOf = (directory: MemoryDirectory): Map<string, MemoryNode> => {
      const known = this.#folded.get(directory) ?? new Map<string, MemoryNode>();
      this.#folded.set(directory, known);
      return known;
    };
    const head = this.#names.findIndex((change) => !change.lost && change.unsynced.size > 0);
    const settled = head < 0 ? this.#names : this.#names.slice(0, head);
    for (const change of settled) if (!change.lost) applyName(change, entriesOf);
    this.#names = head < 0 ? [] : this.#names.slice(head);
  }
}

export function applyChange(bytes: MemoryBytes, change: DataChange): void {
  if (change.kind === "write") bytes.writeAt(change.position, change.data);
  else bytes.setSize(change.size);
}

type EntriesOf = (directory: MemoryDirectory) => Map<string, MemoryNode>;

function applyName(change: NameChange, entriesOf: EntriesOf): void {
  const { removed, added, node } = change;
  if (removed !== undefined) {
    const entries = entriesOf(removed.directory);
    // Something else may bear the name if an earlier change did not survive.
    if (entries.get(removed.name) === node) entries.delete(removed.name);
  }
  if (added !== undefined) entriesOf(added.directory).set(added.name, node);
}

function* reachable(directory: MemoryDirectory, entriesOf: EntriesOf): Generator<MemoryDirectory> {
  yield directory;
  for (const node of entriesOf(directory).values()) {
    if (node.kind === "directory") yield* reachable(node, entriesOf);
  }
}
