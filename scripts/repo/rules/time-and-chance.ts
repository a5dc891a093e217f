// Time and randomness enter through the Clock and Random parts of fs-core, so that a test can set both and
// a failure can be replayed. The globals are for the two files that make those parts.
import type { Repository } from "../repository.ts";
import { roleOf } from "../repository.ts";
import { type SourceFile, nameOf, walk } from "../source-file.ts";
import type { Node } from "oxc-parser";

const doors = ["packages/fs-core/src/clock.ts", "packages/fs-core/src/random.ts"];

/** `object.member`. Tests may wait and measure, but what they compute must not differ from run to run. */
const everywhere = new Set(["Date.now", "Math.random", "crypto.randomUUID", "crypto.getRandomValues"]);
const inSources = new Set([
  ...everywhere,
  "performance.now",
  "performance.timeOrigin",
  "process.hrtime",
  "AbortSignal.timeout",
]);
const timers = new Set(["setTimeout", "setInterval", "setImmediate"]);
const modules = new Set(["node:timers", "node:timers/promises", "node:perf_hooks"]);
const chance = new Set(["randomBytes", "randomFill", "randomFillSync", "randomInt", "randomUUID", "getRandomValues"]);

export function checkTimeAndChance(repository: Repository): string[] {
  return repository.packages
    .flatMap((member) => repository.sourcesOf(member))
    .filter(({ path }) => roleOf(path) !== "bench" && !doors.includes(path))
    .flatMap((source) =>
      uses(source).map(
        ({ what, line }) =>
          `${source.path}:${line} uses ${what}; take it from the Clock or Random part (@varve/fs-core).`,
      ),
    );
}

function uses(source: SourceFile): { what: string; line: number }[] {
  const isSource = roleOf(source.path) === "source";
  const found: { what: string; line: number }[] = [];
  const note = (what: string | undefined, node: Node): void => {
    if (what !== undefined) found.push({ what, line: source.lineAt(node.start) });
  };
  walk(source.program, (node, parent) => {
    note(currentDate(node), node);
    if (node.type === "MemberExpression") note(member(node, isSource), node);
    if (node.type === "Identifier" && isSource && timers.has(node.name) && isReference(node, parent))
      note(node.name, node);
  });
  for (const { specifier, names, line } of source.imports()) {
    if (isSource && modules.has(specifier)) found.push({ what: specifier, line });
    for (const name of names) {
      if (specifier === "node:crypto" && chance.has(name)) found.push({ what: `${name} of node:crypto`, line });
    }
  }
  return found;
}

/** `new Date()` and `Date()` read the clock; `new Date(value)` does not. */
function currentDate(node: Node): string | undefined {
  const isCall = node.type === "NewExpression" || node.type === "CallExpression";
  if (!isCall || node.callee.type !== "Identifier" || node.callee.name !== "Date") return undefined;
  if (node.type === "CallExpression") return "Date()";
  return node.arguments.length === 0 ? "new Date()" : undefined;
}

function member(node: Node & { type: "MemberExpression" }, isSource: boolean): string | undefined {
  if (node.object.type !== "Identifier" || node.computed) return undefined;
  const property = nameOf(node.property);
  const path = `${node.object.name}.${property}`;
  if (node.object.name === "globalThis" && isSource && timers.has(property)) return path;
  return (isSource ? inSources : everywhere).has(path) ? path : undefined;
}

/** Whether the identifier stands for a value here, not for the name of a member. */
function isReference(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return true;
  if (parent.type === "MemberExpression") return parent.object === node;
  if (parent.type === "Property") return parent.value === node;
  const naming = [
    "MethodDefinition",
    "PropertyDefinition",
    "TSMethodSignature",
    "TSPropertySignature",
    "TSQualifiedName",
  ];
  return !naming.includes(parent.type) || ("value" in parent && parent.value === node);
}
