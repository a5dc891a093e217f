/** Which options each call takes. A misspelt condition would otherwise be a write without one. */
import { type NamesOf, unknownNames } from "../kit/unknown-names.ts";
import type {
  CallOptions,
  CopyOptions,
  DeleteOptions,
  GetOptions,
  GetRangesOptions,
  ListOptions,
  ListUploadsOptions,
  ProbeOptions,
  PutOptions,
  RenameOptions,
  UploadOptions,
} from "./object-store.ts";
import { StoreError } from "./store-error.ts";

const call: NamesOf<CallOptions> = { signal: true, timeoutMs: true };
const condition = { ifAbsent: true, ifMatch: true } as const;
const put: NamesOf<PutOptions> = {
  ...call,
  ...condition,
  metadata: true,
  contentType: true,
  checksum: true,
  putId: true,
};
const upload: NamesOf<UploadOptions> = { ...put, partBytes: true, concurrency: true, onProgress: true };
const get: NamesOf<GetOptions> = { ...call, range: true, ifMatch: true };
const getRanges: NamesOf<GetRangesOptions> = { ...call, ifMatch: true, gapBytes: true };
const copy: NamesOf<CopyOptions> = { ...call, ...condition, ifSourceMatch: true, putId: true };
const rename: NamesOf<RenameOptions> = { ...call, ifAbsent: true };
const remove: NamesOf<DeleteOptions> = { ...call, ifMatch: true };
const list: NamesOf<ListOptions> = { ...call, prefix: true, startAfter: true, delimiter: true, pageSize: true };
const listIncompleteUploads: NamesOf<ListUploadsOptions> = { ...call, prefix: true };
const probe: NamesOf<ProbeOptions> = { ...call, prefix: true };

/** A call that takes options. */
export type CallName =
  | ("get" | "getRanges" | "head" | "list" | "listIncompleteUploads" | "probe")
  | ("put" | "putStream" | "putFile" | "createWriter" | "copy" | "rename")
  | ("delete" | "deleteMany" | "abortIncompleteUpload");

const optionNames: Readonly<Record<CallName, Readonly<Record<string, true>>>> = {
  get,
  getRanges,
  head: call,
  list,
  listIncompleteUploads,
  probe,
  put,
  putStream: upload,
  putFile: upload,
  createWriter: upload,
  copy,
  rename,
  delete: remove,
  deleteMany: call,
  abortIncompleteUpload: call,
};

/** @throws StoreError `INVALID_ARGUMENT` with every option that the call does not take */
export function assertKnownOptions(name: CallName, options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new StoreError("INVALID_ARGUMENT", `${name}: options: want an object`, { operation: name });
  }
  const problems = unknownNames(options, optionNames[name]);
  if (problems.length === 0) return;
  throw new StoreError("INVALID_ARGUMENT", `${name}: ${problems.join("; ")}`, { operation: name });
}
