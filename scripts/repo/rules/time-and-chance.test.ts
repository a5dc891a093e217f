// Every way to read the clock or roll a die is found; what only looks like one is not.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkTimeAndChance } from "./time-and-chance.ts";

const check = (path: string, text: string): string[] =>
  checkTimeAndChance(
    repositoryOf({
      "packages/fs-core/package.json": { name: "@varve/fs-core" },
      "packages/aof/package.json": { name: "@varve/aof" },
      "apps/bench/package.json": { name: "@varve/bench" },
      "apps/cli/package.json": { name: "@varve/cli" },
      [path]: text,
    }),
  );

const anywhere = [
  "Date.now()",
  "new Date()",
  "Date()",
  "Math.random()",
  "crypto.randomUUID()",
  "const now = Date.now;",
];
const inSources = [
  ...anywhere,
  "performance.now()",
  "process.hrtime.bigint()",
  "AbortSignal.timeout(5)",
  "setTimeout(f, 1)",
  "setInterval(f, 1)",
  "setImmediate(f)",
  "globalThis.setTimeout(f, 1)",
  "const later = promisify(setTimeout);",
  "run({ setTimeout });",
  'import { setTimeout as sleep } from "node:timers/promises";',
  'import { performance } from "node:perf_hooks";',
  'import { randomBytes as bytes } from "node:crypto";',
];

test.for(inSources)("refuses in a source: %s", (text) => {
  expect(check("packages/aof/src/a.ts", text).join()).toContain("packages/aof/src/a.ts:1 uses");
  expect(check("apps/cli/src/a.ts", text).join()).toContain("apps/cli/src/a.ts:1 uses");
});

test.for(anywhere)("refuses in a test: %s", (text) => {
  expect(check("packages/aof/test/a.test.ts", text)).toHaveLength(1);
  expect(check("packages/aof/src/a.test.ts", text)).toHaveLength(1);
});

test.for([
  "new Date(5)",
  "Date.parse(text)",
  "Math.round(1.5)",
  "clock.now()",
  "timers.setTimeout(f, 1)",
  "const parts = { setTimeout: later };",
  "class Timers { setTimeout(): void {} }",
  "interface Timers { setTimeout(): void }",
  '// Date.now() is not called here\nconst text = "Math.random()";',
  'import { createHash } from "node:crypto";',
])("accepts in a source: %s", (text) => expect(check("packages/aof/src/a.ts", text)).toEqual([]));

test.for([
  ["packages/fs-core/src/clock.ts", "setTimeout(f, Date.now())"],
  ["packages/fs-core/src/random.ts", "Math.random()"],
  ["packages/aof/bench/append.bench.ts", "performance.now()"],
  ["apps/bench/src/a.ts", "Date.now()"],
  ["packages/aof/src/a.test.ts", "setTimeout(f, performance.now())"],
] as const)("accepts in %s: %s", ([path, text]) => expect(check(path, text)).toEqual([]));
