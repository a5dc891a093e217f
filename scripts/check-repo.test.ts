// Holds the tree to the rules under scripts/repo/rules. A failure is a list of sentences; argue with the
// rule if it is wrong, it is a few lines long.
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { readRepository } from "./repo/repository.ts";
import { rules } from "./repo/rules.ts";

const repository = readRepository(fileURLToPath(new URL("..", import.meta.url)));

test.for(Object.entries(rules))("%s", ([, rule]) => {
  const problems = rule(repository);
  // Without a stack: where this file throws tells nobody anything.
  if (problems.length > 0) throw Object.assign(new Error(problems.join("\n")), { stack: "" });
});
