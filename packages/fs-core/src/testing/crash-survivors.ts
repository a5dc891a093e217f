/**
 * Which unsynced changes a power cut takes, by model. Pure: reads the journal, returns a new tree.
 */
import type { MemoryBytes } from "../file-system/memory-node.ts";
import { MemoryDirectory, MemoryFile, type MemoryNode } from "../file-system/memory-node.ts";
import type { Random } from "../random.ts";
import { applyChange, type CrashJournal, type DataChange, type NameChange } from "./crash-journal.ts";

/**
 * What a power cut does to what was not synced:
 *
 * | model        | bytes                                                              | names    |
 * |--------------|--------------------------------------------------------------------|----------|
 * | `all`        | stay, failed syncs included: the process died, not the machine     | stay     |
 * | `drop`       | vanish                                                             | vanish   |
 * | `data-drop`  | vanish                                                             | stay     |
 * | `names-drop` | stay                                                               | vanish   |
 * | `zeros`      | files have their last size, zeroes where no durable bytes were     | stay     |
 * | `garbage`    | the same with random bytes                                         | stay     |
 * | `prefix`     | the first few changes in time, the next write cut at a byte        | the same prefix |
 * | `subset`     | each 512-byte sector of each write on its own                      | each on its own |
 */
export const crashModels = ["all", "drop", "data-drop", "names-drop", "zeros", "garbage", "prefix", "subset"] as const;

/** One of {@link crashModels}. */
export type CrashModel = (typeof crashModels)[number];

/** The smallest unit that a disk writes whole. */
export const sectorBytes = 512;

/** Which crash it shall be. */
export interface CrashSettings {
  readonly model: CrashModel;
  /** Used by `garbage`, `prefix` and `subset`. The same seed and history give the same survivors. */
  readonly random: Random;
  /** Chance of each unsynced change under `subset`, 0..1. Default 0.5. */
  readonly survivingShare?: number;
}

/** The tree after the crash; nothing in it is shared with the living one. */
export function survivingTree(root: MemoryDirectory, journal: CrashJournal, settings: CrashSettings): MemoryDirectory {
  if (settings.model === "all") {
    return copyTree(
      root,
      (directory) => directory.entries,
      (file) => file.bytes.clone(),
    );
  }
  const choice = choiceOf(journal, settings);
  const names = journal.namesAfter(choice.name);
  return copyTree(
    root,
    (directory) => names.get(directory) ?? new Map(),
    (file) => {
      const bytes = journal.durableBytes(file).clone();
      choice.data(file, bytes, journal.pendingOf(file));
      return bytes;
    },
  );
}

interface Choice {
  readonly name: (change: NameChange) => boolean;
  /** Adds to `bytes`, the durable ones, what survives of `pending`. */
  readonly data: (file: MemoryFile, bytes: MemoryBytes, pending: readonly DataChange[]) => void;
}

const stay = (): boolean => true;
const vanish = (): boolean => false;
const noData: Choice["data"] = () => {};
const allData: Choice["data"] = (_file, bytes, pending) => {
  for (const change of pending) applyChange(bytes, change);
};

function choiceOf(journal: CrashJournal, settings: CrashSettings): Choice {
  const { model, random } = settings;
  switch (model) {
    case "drop":
      return { name: vanish, data: noData };
    case "data-drop":
      return { name: stay, data: noData };
    case "names-drop":
      return { name: vanish, data: allData };
    case "zeros":
      return { name: stay, data: grown(() => {}) };
    case "garbage":
      return { name: stay, data: grown((bytes) => random.fill(bytes)) };
    case "prefix":
      return prefix(journal, random);
    case "subset":
      return subset(random, settings.survivingShare ?? 0.5);
    default:
      throw new TypeError(`crash model: got ${String(model)}, want one of ${crashModels.join(", ")}`);
  }
}

/** Sizes survive, written bytes do not: `fill` says what is found instead, where no durable byte was. */
function grown(fill: (bytes: Uint8Array) => void): Choice["data"] {
  return (_file, bytes, pending) => {
    const durableSize = bytes.size;
    for (const change of pending) {
      if (change.kind === "resize") {
        bytes.setSize(change.size);
        continue;
      }
      const from = Math.max(change.position, durableSize);
      const junk = new Uint8Array(Math.max(0, change.position + change.data.byteLength - from));
      fill(junk);
      bytes.writeAt(from, junk);
    }
  };
}

function prefix(journal: CrashJournal, random: Random): Choice {
  const sequences = journal.pendingSequences();
  const cut = sequences[random.int(sequences.length + 1)] ?? Number.POSITIVE_INFINITY;
  return {
    name: (change) => change.sequence < cut,
    data: (_file, bytes, pending) => {
      for (const change of pending) {
        if (change.sequence < cut) applyChange(bytes, change);
        if (change.sequence !== cut || change.kind !== "write") continue;
        bytes.writeAt(change.position, change.data.subarray(0, random.int(change.data.byteLength)));
      }
    },
  };
}

function subset(random: Random, share: number): Choice {
  return {
    name: () => random.next() < share,
    data: (_file, bytes, pending) => {
      for (const change of pending) {
        if (change.kind === "write") someSectors(bytes, change.position, change.data, random, share);
        else if (random.next() < share) bytes.setSize(change.size);
      }
    },
  };
}

function someSectors(bytes: MemoryBytes, position: number, data: Uint8Array, random: Random, share: number): void {
  for (let done = 0; done < data.byteLength; ) {
    const at = position + done;
    const length = Math.min(sectorBytes - (at % sectorBytes), data.byteLength - done);
    if (random.next() < share) bytes.writeAt(at, data.subarray(done, done + length));
    done += length;
  }
}

function copyTree(
  root: MemoryDirectory,
  entriesOf: (directory: MemoryDirectory) => ReadonlyMap<string, MemoryNode>,
  bytesOf: (file: MemoryFile) => MemoryBytes,
): MemoryDirectory {
  // A file with two names is one file; a directory brought back under an old name beside its new one is copied once too.
  const copies = new Map<MemoryNode, MemoryNode>();
  const copy = (node: MemoryNode): MemoryNode => {
    const known = copies.get(node);
    if (known !== undefined) return known;
    if (node.kind === "file") {
      const file = new MemoryFile(node.ino, node.mtimeMs, bytesOf(node));
      copies.set(node, file);
      return file;
    }
    return copyDirectory(node);
  };
  const copyDirectory = (node: MemoryDirectory): MemoryDirectory => {
    const directory = new MemoryDirectory(node.ino, node.mtimeMs);
    copies.set(node, directory);
    for (const [name, child] of entriesOf(node)) {
      const copied = copy(child);
      if (copied.kind === "file") copied.links += 1;
      directory.entries.set(name, copied);
    }
    return directory;
  };
  return copyDirectory(root);
}
