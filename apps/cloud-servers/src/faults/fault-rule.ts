/** When a fault strikes: before the request changed anything, or after it did, so that the caller cannot know. */
export type FaultMoment = "before" | "after";

/** What happens to a matching request. */
export type FaultAction =
  /** The request is served `ms` milliseconds later. */
  | { readonly kind: "latency"; readonly ms: number }
  /** An error answer, 400..599. `code` and `message` default to what the protocol says for that status. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly when: FaultMoment;
      readonly code?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** A 200 whose body is an error, as S3 does when a completion or a copy fails half way. */
  | { readonly kind: "errorInBody"; readonly when: FaultMoment; readonly code?: string; readonly message?: string }
  /** The connection is reset (RST) instead of an answer. */
  | { readonly kind: "reset"; readonly when: FaultMoment }
  /** No answer, until the client gives up or the server closes. */
  | { readonly kind: "hang"; readonly when: FaultMoment }
  /** The answer's head and the first `afterBytes` bytes of its body, then the end of the connection. */
  | { readonly kind: "cutBody"; readonly afterBytes: number; readonly how: "fin" | "reset" }
  /** As above, then nothing: for `ms` milliseconds, or until the client gives up or the server closes. */
  | { readonly kind: "stallBody"; readonly afterBytes: number; readonly ms?: number }
  /** The lowest bit of byte `at` of the answer's body is flipped, of its last byte if it is shorter. */
  | { readonly kind: "corruptBody"; readonly at: number }
  /** The same with the request's body as it is on the wire, before the server looks at it. */
  | { readonly kind: "corruptRequest"; readonly at: number }
  /** The request is executed twice, as by a proxy that retries; the second answer is delivered. */
  | { readonly kind: "duplicate" }
  /** In a bulk deletion, keys with `contains` in them fail with `code` and stay. */
  | { readonly kind: "failKeys"; readonly contains: string; readonly code?: string };

/** Which requests, and what happens to them. All given conditions must hold; with none, every request matches. */
export interface FaultRule {
  /** HTTP method, upper case, or several. */
  readonly method?: string | readonly string[];
  /** Name of the protocol's operation, such as `PutObject` or `objects.getMedia`, or several. */
  readonly operation?: string | readonly string[];
  /** Part of `/bucket/key`, decoded. */
  readonly path?: string;
  /** Counts matching requests from 1; without it, every one is hit. */
  readonly nth?: number;
  /** With `nth`: every matching request from that one on. */
  readonly sticky?: boolean;
  readonly action: FaultAction;
}

/** A kind of {@link FaultAction}. */
export type FaultKind = FaultAction["kind"];

/** What every server can be made to do wrong, whatever its protocol. */
export const commonFaultKinds: readonly FaultKind[] = [
  "latency",
  "status",
  "reset",
  "hang",
  "cutBody",
  "stallBody",
  "corruptBody",
  "corruptRequest",
  "duplicate",
];

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, { readonly check: Check; readonly want: string; readonly optional?: true }>>;

const text = { check: (value: unknown) => typeof value === "string" && value !== "", want: "a text" };
const count = { check: (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0, want: "a whole number" };
const moment = { check: (value: unknown) => value === "before" || value === "after", want: '"before" or "after"' };
const optionalText = { ...text, optional: true } as const;
const delay = {
  check: (value: unknown) => count.check(value) && Number(value) < 2 ** 31,
  want: "whole milliseconds below 2^31",
};

const actionShapes: Readonly<Record<FaultKind, Shape>> = {
  latency: { ms: delay },
  status: {
    status: {
      check: (value) => Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599,
      want: "400..599",
    },
    when: moment,
    code: optionalText,
    message: optionalText,
    retryAfterSeconds: { ...count, optional: true },
  },
  errorInBody: { when: moment, code: optionalText, message: optionalText },
  reset: { when: moment },
  hang: { when: moment },
  cutBody: {
    afterBytes: count,
    how: { check: (value) => value === "fin" || value === "reset", want: '"fin" or "reset"' },
  },
  stallBody: { afterBytes: count, ms: { ...delay, optional: true } },
  corruptBody: { at: count },
  corruptRequest: { at: count },
  duplicate: {},
  failKeys: { contains: text, code: optionalText },
};

const ruleShape: Shape = {
  method: {
    check: oneOrSeveral((value) => typeof value === "string" && /^[A-Z]+$/.test(value)),
    want: "upper case",
    optional: true,
  },
  operation: { check: oneOrSeveral(text.check), want: "a name or names", optional: true },
  path: optionalText,
  nth: { check: (value) => count.check(value) && Number(value) >= 1, want: "a whole number from 1", optional: true },
  sticky: { check: (value) => typeof value === "boolean", want: "true or false", optional: true },
  action: {
    check: (value) => isRecord(value) && Object.hasOwn(actionShapes, String(value["kind"])),
    want: "an action with a kind",
  },
};

/**
 * Checks a rule that may come from anywhere. Nothing is ignored: a member that the rule or its action does not have is
 * a mistake of spelling.
 * @param kinds what the server at hand can play
 * @throws RangeError with all that is wrong
 */
export function parseFaultRule(value: unknown, kinds: readonly FaultKind[]): FaultRule {
  const problems = [...shapeProblems("rule", value, ruleShape)];
  if (problems.length === 0 && isRecord(value) && isRecord(value["action"])) {
    const { kind, ...members } = value["action"];
    const known = kinds.find((each) => each === kind);
    if (known === undefined) problems.push(`action: this server does not play ${String(kind)}`);
    else problems.push(...shapeProblems(known, members, actionShapes[known]));
    if (value["sticky"] === true && value["nth"] === undefined) {
      problems.push("sticky: needs nth; without nth every request is hit");
    }
  }
  if (problems.length > 0) throw new RangeError(problems.join("\n"));
  return value as FaultRule;
}

/** One rule or a list of them, as JSON. @throws RangeError, also for what is not JSON */
export function parseFaultRules(json: string, kinds: readonly FaultKind[]): FaultRule[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new RangeError("faults: want JSON", { cause: error });
  }
  return (Array.isArray(value) ? value : [value]).map((each) => parseFaultRule(each, kinds));
}

function shapeProblems(what: string, value: unknown, shape: Shape): string[] {
  if (!isRecord(value)) return [`${what}: want an object`];
  const strangers = Object.keys(value).filter((name) => !Object.hasOwn(shape, name));
  return [
    ...strangers.map((name) => `${what}.${name}: no such member`),
    ...Object.entries(shape).flatMap(([name, { check, want, optional }]) => {
      const member = value[name];
      const isFine = member === undefined ? optional === true : check(member);
      return isFine ? [] : [`${what}.${name}: got ${JSON.stringify(member)}, want ${want}`];
    }),
  ];
}

function oneOrSeveral(check: Check): Check {
  return (value) => (Array.isArray(value) ? value.length > 0 && value.every(check) : check(value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
