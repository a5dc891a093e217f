/** Attempts at a store, each in the ledger before it is made and once it is over. */
import { isStoreError, type ObjectStore, type StoreError, systemRandom } from "@varve/fs-core";
import { isSettled, judgedAttempts, type Ledger, type Verb } from "./store-ledger.ts";

export class StoreAttempts {
  readonly store: ObjectStore;
  readonly #ledger: Ledger;

  constructor(store: ObjectStore, ledger: Ledger) {
    this.store = store;
    this.#ledger = ledger;
  }

  begin(verb: Verb, key: string): string {
    const id = Buffer.from(systemRandom.fill(new Uint8Array(16))).toString("hex");
    this.#ledger.append({ fact: "try", id, verb, key });
    return id;
  }

  /** @returns why it was not acknowledged; undefined when it was. What is no StoreError is thrown: a crash. */
  end(id: string, error?: unknown): StoreError | undefined {
    if (error === undefined) {
      this.#ledger.append({ fact: "done", id });
      return undefined;
    }
    if (!isStoreError(error)) throw error;
    this.#ledger.append({ fact: error.outcome === "none" ? "refused" : "unknown", id, code: error.code });
    return error;
  }

  async make(verb: Verb, key: string, work: (id: string) => Promise<unknown>): Promise<StoreError | undefined> {
    const id = this.begin(verb, key);
    try {
      await work(id);
    } catch (error) {
      return this.end(id, error);
    }
    return this.end(id);
  }

  isDone(key: string, verb: Verb): boolean {
    return judgedAttempts(this.#ledger.facts).some(
      (attempt) => attempt.key === key && attempt.verb === verb && isSettled(attempt),
    );
  }

  wasTried(key: string, verb: Verb): boolean {
    return this.#ledger.facts.some((fact) => fact.fact === "try" && fact.key === key && fact.verb === verb);
  }

  /** Whether an attempt of ours, of which it is not known what it did, has this id. Then it is settled. */
  recognise(key: string, id: string | undefined): boolean {
    const own = judgedAttempts(this.#ledger.facts).find((attempt) => attempt.key === key && attempt.id === id);
    if (own === undefined) return false;
    if (!isSettled(own)) this.#ledger.append({ fact: "found", id: own.id });
    return true;
  }

  /** The object of a deletion that was not acknowledged is gone: the last attempt did it. */
  recogniseDeletion(key: string): void {
    const last = judgedAttempts(this.#ledger.facts).findLast((each) => each.key === key && each.verb === "delete");
    if (last !== undefined) this.#ledger.append({ fact: "found", id: last.id });
  }

  noteWrongRead(key: string): void {
    this.#ledger.append({ fact: "wrong-read", key });
  }
}
