/**
 * What a store client was told, kept where a crash cannot take it: one line of JSON per fact, each on disk before the
 * client goes on.
 *
 * Always true:
 *  I1  an attempt's `try` is on disk before its first request is sent
 *  I2  a line that is not whole is the last one, of a client that was killed: its fact was never acted on
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";

export type Verb = "put" | "create" | "copy" | "swap" | "delete";

/** One intention to change one key. */
export interface Attempt {
  /** 32 hexadecimal digits: the put id of what is written. */
  readonly id: string;
  readonly verb: Verb;
  readonly key: string;
}

/** `done`: acknowledged. `found`: seen in the store later. `refused`: certainly nothing changed. `unknown`: it may have. */
export type Verdict = "done" | "found" | "refused" | "unknown";

export type Fact =
  | ({ readonly fact: "try" } & Attempt)
  | { readonly fact: Verdict; readonly id: string; readonly code?: string }
  /** A read gave other bytes than were put. */
  | { readonly fact: "wrong-read"; readonly key: string };

/** An attempt and the last that is known of it; `undefined` while nobody said anything. */
export interface JudgedAttempt extends Attempt {
  readonly verdict: Verdict | undefined;
  readonly code: string | undefined;
}

const fileName = "ledger";

export class Ledger {
  readonly facts: Fact[];
  readonly #descriptor: number;

  /** Goes on with what is in `dir`. */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    const path = join(dir, fileName);
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    this.facts = parseFacts(text);
    if (text !== "") truncateSync(path, text.lastIndexOf("\n") + 1);
    this.#descriptor = openSync(path, "a");
  }

  append(fact: Fact): void {
    writeSync(this.#descriptor, `${JSON.stringify(fact)}\n`);
    fsyncSync(this.#descriptor);
    this.facts.push(fact);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

export function readFacts(dir: string): Fact[] {
  const path = join(dir, fileName);
  return existsSync(path) ? parseFacts(readFileSync(path, "utf8")) : [];
}

/** Attempts in the order in which they began. */
export function judgedAttempts(facts: readonly Fact[]): JudgedAttempt[] {
  const attempts = new Map<string, JudgedAttempt>();
  for (const fact of facts) {
    if (fact.fact === "try") {
      const { id, verb, key } = fact;
      attempts.set(id, { id, verb, key, verdict: undefined, code: undefined });
    } else if (fact.fact !== "wrong-read") {
      const known = attempts.get(fact.id);
      if (known === undefined) throw new Error(`the ledger speaks of ${fact.id}, which it never began`);
      attempts.set(fact.id, { ...known, verdict: fact.fact, code: fact.code });
    }
  }
  return [...attempts.values()];
}

export function isSettled({ verdict }: JudgedAttempt): boolean {
  return verdict === "done" || verdict === "found";
}

function parseFacts(text: string): Fact[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Fact);
}
