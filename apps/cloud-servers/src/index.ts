/**
 * Servers that speak the protocols of object stores as their vendors describe them, with faults on request.
 * @packageDocumentation
 */

// Faults.
export type { FaultAction, FaultKind, FaultMoment, FaultRule } from "./faults/fault-rule.ts";
export { FaultPlan, type ActiveFaultRule, type FaultTarget } from "./faults/fault-plan.ts";
