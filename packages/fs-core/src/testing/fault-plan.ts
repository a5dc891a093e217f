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
export interface FaultRule {
  readonly operation?: FileOperationName | readonly FileOperationName[];
  /** A path as the caller gave it, or a pattern for it. A rename matches by its old or its new name. */
  readonly path?: string | RegExp | ((path: string) => boolean);
  /** Counts matching calls from 1; without it, every one is hit. */
  readonly nth?: number;
  /** With `nth`: every matching call from that one on. */
  readonly sticky?: boolean;
  readonly fault: Fault;
  /**
   * On a failing `sync` or `syncDirectory`: what it covered is lost at the next power cut, as the kernel does it. Needs a
   * CrashableFileSystem right below. Default: true there, false elsewhere.
   */
  readonly losesUnsynced?: boolean;
}

/** A rule in force. */
export interface ActiveFaultRule {
  readonly rule: FaultRule;
  /** Calls that met the conditions, `nth` aside. */
  readonly matched: number;
  /** Calls that the fault was done to. A test that injects a fault asserts that this is not 0. */
  readonly injected: number;
  /** Ends it; the counts stay. Idempotent. */
  remove(): void;
}

/** Rules in the order of their addition; the first one that hits decides. Counts what was injected. */
export class FaultPlan {
  readonly #rules: Set<CountingRule> = new Set();
  #injected = 0;

  constructor(rules: readonly FaultRule[] = []) {
    for (const rule of rules) this.add(rule);
  }

  add(rule: FaultRule): ActiveFaultRule {
    checkRule(rule);
    const active = new CountingRule(rule, () => this.#rules.delete(active));
    this.#rules.add(active);
    return active;
  }

  /** Ends every rule. */
  clear(): void {
    this.#rules.clear();
  }

  /** Faults injected so far, by all rules together. */
  get injected(): number {
    return this.#injected;
  }

  /** The rule that hits `operation`, counted as injected. Each call is to be asked about once. */
  next(operation: FileOperation): FaultRule | undefined {
    let hit: CountingRule | undefined;
    for (const active of this.#rules) {
      if (!active.matches(operation)) continue;
      active.matched += 1;
      if (hit === undefined && active.isDue()) hit = active;
    }
    if (hit === undefined) return undefined;
    hit.injected += 1;
    this.#injected += 1;
    return hit.rule;
  }
}

class CountingRule implements ActiveFaultRule {
  readonly rule: FaultRule;
  readonly remove: () => void;
  matched = 0;
  injected = 0;

  constructor(rule: FaultRule, remove: () => void) {
    this.rule = rule;
    this.remove = remove;
  }

  matches(operation: FileOperation): boolean {
    const { kind } = this.rule.fault;
    if (kind === "delay" && operation.synchronous) return false;
    if ((kind === "splitWrite" || kind === "shortWrite") && operation.name !== "writeAt") return false;
    return this.#matchesName(operation.name) && this.#matchesPath(operation);
  }

  isDue(): boolean {
    const { nth, sticky } = this.rule;
    if (nth === undefined) return true;
    return sticky === true ? this.matched >= nth : this.matched === nth;
  }

  #matchesName(name: FileOperationName): boolean {
    const wanted = this.rule.operation;
    if (wanted === undefined) return true;
    return typeof wanted === "string" ? wanted === name : wanted.includes(name);
  }

  #matchesPath({ path, to }: FileOperation): boolean {
    const wanted = this.rule.path;
    if (wanted === undefined) return true;
    const test = (candidate: string): boolean => {
      if (typeof wanted === "string") return wanted === candidate;
      return typeof wanted === "function" ? wanted(candidate) : candidate.search(wanted) >= 0;
    };
    return test(path) || (to !== undefined && test(to));
  }
}

function checkRule({ nth, sticky, fault }: FaultRule): void {
  if (nth !== undefined && !(Number.isSafeInteger(nth) && nth >= 1)) {
    throw new RangeError(`nth: got ${nth}, want a whole number from 1`);
  }
  if (sticky === true && nth === undefined) throw new RangeError("sticky: needs nth; without nth every call is hit");
  if ("bytes" in fault && !(Number.isSafeInteger(fault.bytes) && fault.bytes >= 0)) {
    throw new RangeError(`bytes: got ${fault.bytes}, want a whole number`);
  }
}
