/** When a rule hits, among the events that meet its conditions. */
export interface CountedRule {
  /** Counts matching events from 1; without it, every one is hit. */
  readonly nth?: number;
  /** With `nth`: every matching event from that one on. */
  readonly sticky?: boolean;
}

/** A rule in force. */
export interface ActiveRule<Rule> {
  readonly rule: Rule;
  /** Events that met the conditions, `nth` aside. */
  readonly matched: number;
  /** Events that the fault was done to. A test that injects a fault asserts that this is not 0. */
  readonly injected: number;
  /** Ends it; the counts stay. Idempotent. */
  remove(): void;
}

/** Rules in the order of their addition; the first one that hits decides. Counts what was injected. */
export class CountedPlan<Rule extends CountedRule, Target> {
  readonly #rules: Set<Counted<Rule>> = new Set();
  readonly #matches: (rule: Rule, target: Target) => boolean;
  #injected = 0;

  constructor(matches: (rule: Rule, target: Target) => boolean) {
    this.#matches = matches;
  }

  /** @throws RangeError for an `nth` that no event has, or `sticky` without it */
  add(rule: Rule): ActiveRule<Rule> {
    assertCounts(rule);
    const active = new Counted(rule, () => this.#rules.delete(active));
    this.#rules.add(active);
    return active;
  }

  /** Ends every rule. */
  clear(): void {
    this.#rules.clear();
  }

  /** The rules in force, first to last. */
  get rules(): readonly ActiveRule<Rule>[] {
    return [...this.#rules];
  }

  /** Faults injected so far, by all rules together. */
  get injected(): number {
    return this.#injected;
  }

  /** The rule that hits `target`, counted as injected. Each event is to be asked about once. */
  next(target: Target): Rule | undefined {
    let hit: Counted<Rule> | undefined;
    for (const active of this.#rules) {
      if (!this.#matches(active.rule, target)) continue;
      active.matched += 1;
      if (hit === undefined && active.isDue()) hit = active;
    }
    if (hit === undefined) return undefined;
    hit.injected += 1;
    this.#injected += 1;
    return hit.rule;
  }
}

class Counted<Rule extends CountedRule> implements ActiveRule<Rule> {
  readonly rule: Rule;
  readonly remove: () => void;
  matched = 0;
  injected = 0;

  constructor(rule: Rule, remove: () => void) {
    this.rule = rule;
    this.remove = remove;
  }

  isDue(): boolean {
    const { nth, sticky } = this.rule;
    if (nth === undefined) return true;
    return sticky === true ? this.matched >= nth : this.matched === nth;
  }
}

function assertCounts({ nth, sticky }: CountedRule): void {
  if (nth !== undefined && !(Number.isSafeInteger(nth) && nth >= 1)) {
    throw new RangeError(`nth: got ${nth}, want a whole number from 1`);
  }
  if (sticky === true && nth === undefined) throw new RangeError("sticky: needs nth; without nth every one is hit");
}
