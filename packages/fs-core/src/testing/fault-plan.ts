import { type ActiveRule, CountedPlan, type CountedRule } from "./counted-plan.ts";
import type { FileOperation, FileOperationName } from "./operation.ts";

/** Operating system errors that a {@link FaultPlan} can inject; each becomes the `cause` of the matching StorageError. */
export type FaultErrno =
  | "EIO"
  | "ENOSPC"
  | "EDQUOT"
  | "EMFILE"
  | "ENFILE"
  | "EACCES"
  | "EPERM"
  | "EROFS"
  | "ENOENT"
  | "EEXIST"
  | "EBUSY"
  | "EXDEV";

/** What happens to a matching call. */
export type Fault =
  /** Nothing is done and the call fails. (A failing `close` closes all the same, as the kernel does.) */
  | { readonly kind: "error"; readonly errno: FaultErrno }
  /** Everything is done and the call fails all the same: the caller cannot know. */
  | { readonly kind: "errorAfter"; readonly errno: FaultErrno }
  /** Of a `writeAt`, the first `bytes` are written; then it fails. Other operations pass by the rule. */
  | { readonly kind: "shortWrite"; readonly bytes: number; readonly errno: FaultErrno }
  /** Of a `writeAt`, the first `bytes` are written in one call and the rest in another. Nothing fails. As above. */
  | { readonly kind: "splitWrite"; readonly bytes: number }
  /** The call is done and its answer comes `ms` later. For asynchronous calls; synchronous ones pass by the rule. */
  | { readonly kind: "delay"; readonly ms: number };

/** Which calls, and what happens to them. All given conditions must hold; with none, every call matches. */
export interface FaultRule extends CountedRule {
  readonly operation?: FileOperationName | readonly FileOperationName[];
  /** A path as the caller gave it, or a pattern for it. A rename matches by its old or its new name. */
  readonly path?: string | RegExp | ((path: string) => boolean);
  readonly fault: Fault;
  /**
   * On a failing `sync` or `syncDirectory`: what it covered is lost at the next power cut, as the kernel does it. Needs a
   * CrashableFileSystem right below. Default: true there, false elsewhere.
   */
  readonly losesUnsynced?: boolean;
}

/** A rule in force. */
export type ActiveFaultRule = ActiveRule<FaultRule>;

/** Faults of a file system, by rules. */
export class FaultPlan extends CountedPlan<FaultRule, FileOperation> {
  constructor(rules: readonly FaultRule[] = []) {
    super(matches);
    for (const rule of rules) this.add(rule);
  }

  override add(rule: FaultRule): ActiveFaultRule {
    const { fault } = rule;
    if ("bytes" in fault && !(Number.isSafeInteger(fault.bytes) && fault.bytes >= 0)) {
      throw new RangeError(`bytes: got ${fault.bytes}, want a whole number`);
    }
    return super.add(rule);
  }
}

function matches({ operation, path, fault: { kind } }: FaultRule, target: FileOperation): boolean {
  if (kind === "delay" && target.synchronous) return false;
  if ((kind === "splitWrite" || kind === "shortWrite") && target.name !== "writeAt") return false;
  return matchesName(operation, target.name) && matchesPath(path, target);
}

function matchesName(wanted: FaultRule["operation"], name: FileOperationName): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? wanted === name : wanted.includes(name);
}

function matchesPath(wanted: FaultRule["path"], { path, to }: FileOperation): boolean {
  if (wanted === undefined) return true;
  const test = (candidate: string): boolean => {
    if (typeof wanted === "string") return wanted === candidate;
    return typeof wanted === "function" ? wanted(candidate) : candidate.search(wanted) >= 0;
  };
  return test(path) || (to !== undefined && test(to));
}
