/**
 * Reads an LMDB data file without LMDB. The library has no checksums and ends the process (SIGSEGV, SIGBUS) on pages it
 * cannot follow, so nothing unproven may reach it. Pure: bytes in, records or `INDEX_DAMAGED` out.
 */
import { viewOf } from "../bytes.ts";
import { IndexMetadata } from "../change.ts";
import { decodeEntry } from "../entry-codec.ts";
import { damaged, IndexError } from "../errors.ts";
import { SegmentDirectory } from "../segment-directory.ts";
import { readLastCommit, readTree, type Tree, treeBytes } from "./meta-page.ts";
import {
  checksumOf,
  decodeState,
  type EnvironmentState,
  metadataKey,
  readMetadataRecord,
  segmentKey,
  stateKey,
} from "./metadata-records.ts";
import { TreePages, type TreeRecord } from "./tree-pages.ts";

export const segmentsName = "segments";
export const metadataName = "metadata";

const nodeNamedTree = 2;

/** Everything in an environment, proven: each checksum, the number of records, the digest over all of them. */
export interface EnvironmentContents {
  readonly state: EnvironmentState;
  /** Records of `segments`, in id order: views into the file. */
  readonly segments: readonly TreeRecord[];
  /** Records of `metadata`, {@link stateKey} included: views into the file. */
  readonly metadata: readonly TreeRecord[];
  readonly directory: SegmentDirectory;
  readonly values: IndexMetadata;
  /** The digest's share of `segments`. */
  readonly segmentsDigest: bigint;
}

/**
 * @param file all of `data.mdb`
 * @throws IndexError `INDEX_DAMAGED`, `INDEX_FOREIGN`, `INDEX_FORMAT_TOO_NEW`
 */
export function checkEnvironment(file: Uint8Array, logId: string): EnvironmentContents {
  const commit = readLastCommit(file);
  const pages = new TreePages(file, commit);
  const named = namedTrees(pages.records(commit.main, "the root"));
  const segments = pages.records(named.segments, segmentsName);
  const metadata = pages.records(named.metadata, metadataName);
  // Every commit rewrites the state record, so the page that holds it is as new as the commit. An older one means that
  // a meta page claims a number that is not its own, or that a page write was lost.
  if (pages.newestTransaction !== commit.transaction) throw damaged("data.mdb: its last commit is not in its pages");
  const state = findState(metadata);
  if (state.logId !== logId) throw new IndexError("INDEX_FOREIGN", "data.mdb: the index of another log");
  const { directory, digest: segmentsDigest } = readSegments(segments);
  const { values, digest: metadataDigest } = readMetadata(metadata);
  if (state.records !== segments.length + metadata.length - 1 || state.digest !== (segmentsDigest ^ metadataDigest)) {
    throw damaged("data.mdb: its records are not the set that was committed");
  }
  return { state, segments, metadata, directory, values, segmentsDigest };
}

function namedTrees(records: readonly TreeRecord[]): { segments: Tree; metadata: Tree } {
  const trees = new Map<string, Tree>();
  for (const { key, value, flags } of records) {
    if (flags !== nodeNamedTree || value.length !== treeBytes)
      throw damaged("data.mdb: the root holds more than databases");
    // The library ends names with a zero byte.
    trees.set(Buffer.from(key).toString("latin1").replace(/\0$/, ""), readTree(viewOf(value), 0));
  }
  const [segments, metadata] = [trees.get(segmentsName), trees.get(metadataName)];
  if (segments === undefined || metadata === undefined || trees.size !== 2)
    throw damaged("data.mdb: not our two databases");
  if (segments.flags !== 0 || metadata.flags !== 0) throw damaged("data.mdb: a database with options we never set");
  return { segments, metadata };
}

function findState(metadata: readonly TreeRecord[]): EnvironmentState {
  const record = metadata.find(({ key }) => metadataKey(key) === stateKey);
  if (record === undefined) throw damaged("data.mdb: no state record");
  return decodeState(record.value);
}

function readSegments(records: readonly TreeRecord[]): { directory: SegmentDirectory; digest: bigint } {
  const directory = new SegmentDirectory();
  let digest = 0n;
  for (const { key, value, flags } of records) {
    if (flags !== 0) throw damaged("data.mdb: a database where an entry should be");
    const entry = decodeEntry(value);
    if (Buffer.compare(segmentKey(entry.baseId), key) !== 0) throw damaged("data.mdb: an entry under another key");
    directory.apply({ kind: "put", entry });
    digest ^= checksumOf(value);
  }
  return { directory, digest };
}

function readMetadata(records: readonly TreeRecord[]): { values: IndexMetadata; digest: bigint } {
  const values = new IndexMetadata();
  let digest = 0n;
  for (const { key, value, flags } of records) {
    if (flags !== 0) throw damaged("data.mdb: a database where metadata should be");
    const name = metadataKey(key);
    if (name === stateKey) continue;
    values.apply(readMetadataRecord(name, value));
    digest ^= checksumOf(value);
  }
  return { values, digest };
}
