import { type ActiveRule, CountedPlan } from "@varve/fs-core/testing";
import { type FaultKind, type FaultRule, parseFaultRule } from "./fault-rule.ts";

/** A request as rules see it. */
export interface FaultTarget {
  readonly method: string;
  readonly operation: string;
  /** `/bucket/key`, decoded; empty when the request names no bucket. */
  readonly path: string;
}

/** A rule in force. */
export type ActiveFaultRule = ActiveRule<FaultRule>;

/** Faults of a server, by rules. */
export class FaultPlan extends CountedPlan<FaultRule, FaultTarget> {
  /** Kinds of action that can be added. */
  readonly kinds: readonly FaultKind[];

  /**
   * @param kinds what the server can play; other actions are refused
   * @throws RangeError for a rule that makes no sense
   */
  constructor(kinds: readonly FaultKind[], rules: readonly FaultRule[] = []) {
    super(matches);
    this.kinds = kinds;
    for (const rule of rules) this.add(rule);
  }

  /** @throws RangeError for a rule that makes no sense */
  override add(rule: FaultRule): ActiveFaultRule {
    return super.add(parseFaultRule(rule, this.kinds));
  }
}

function matches({ method, operation, path }: FaultRule, target: FaultTarget): boolean {
  const isOnPath = path === undefined || target.path.includes(path);
  return isOnPath && isAmong(method, target.method) && isAmong(operation, target.operation);
}

function isAmong(wanted: string | readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || (typeof wanted === "string" ? wanted === value : wanted.includes(value));
}
