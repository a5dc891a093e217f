import { type FaultKind, type FaultRule, parseFaultRule } from "./fault-rule.ts";

/** A request as rules see it. */
export interface FaultTarget {
  readonly method: string;
  readonly operation: string;
  /** `/bucket/key`, decoded; empty when the request names no bucket. */
  readonly path: string;
}

/** A rule in force. */
export interface ActiveFaultRule {
  readonly rule: FaultRule;
  /** Requests that met the conditions, `nth` aside. */
  readonly matched: number;
  /** Requests that the fault was done to. A test that injects a fault asserts that this is not 0. */
  readonly injected: number;
  /** Ends it; the counts stay. Idempotent. */
  remove(): void;
}

/** Rules in the order of their addition; the first one that hits decides. Counts what was injected. */
export class FaultPlan {
  readonly #kinds: readonly FaultKind[];
  readonly #rules: Set<CountingRule> = new Set();
  #injected = 0;

  /**
   * @param kinds what the server can play; other actions are refused
   * @throws RangeError for a rule that makes no sense
   */
  constructor(kinds: readonly FaultKind[], rules: readonly FaultRule[] = []) {
    this.#kinds = kinds;
    for (const rule of rules) this.add(rule);
  }

  /** @throws RangeError for a rule that makes no sense */
  add(rule: FaultRule): ActiveFaultRule {
    const active = new CountingRule(parseFaultRule(rule, this.#kinds), () => this.#rules.delete(active));
    this.#rules.add(active);
    return active;
  }

  /** Ends every rule. */
  clear(): void {
    this.#rules.clear();
  }

  /** Kinds of action that can be added. */
  get kinds(): readonly FaultKind[] {
    return this.#kinds;
  }

  /** The rules in force, first to last. */
  get rules(): readonly ActiveFaultRule[] {
    return [...this.#rules];
  }

  /** Faults injected so far, by all rules together. */
  get injected(): number {
    return this.#injected;
  }

  /** The rule that hits `target`, counted as injected. Each request is to be asked about once. */
  next(target: FaultTarget): FaultRule | undefined {
    let hit: CountingRule | undefined;
    for (const active of this.#rules) {
      if (!matches(active.rule, target)) continue;
      active.matched += 1;
      if (hit === undefined && active.isDue()) hit = active;
    }
    if (hit === undefined) return undefined;
    hit.injected += 1;
    this.#injected += 1;
    return hit.rule;
  }
}

function matches({ method, operation, path }: FaultRule, target: FaultTarget): boolean {
  const isOnPath = path === undefined || target.path.includes(path);
  return isOnPath && isAmong(method, target.method) && isAmong(operation, target.operation);
}

function isAmong(wanted: string | readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || (typeof wanted === "string" ? wanted === value : wanted.includes(value));
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

  isDue(): boolean {
    const { nth, sticky } = this.rule;
    if (nth === undefined) return true;
    return sticky === true ? this.matched >= nth : this.matched === nth;
  }
}
