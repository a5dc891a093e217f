/**
 * The one road by which an index changes. Callers hand in plans; plans that wait while a commit runs share the next one.
 *
 * Always true between awaits:
 *  Q1  at most one commit or exclusive task is in flight
 *  Q2  plans and tasks run in the order they were handed in, each against the state the ones before it left
 *  Q3  a plan's promise settles only after the commit that holds its changes did
 *  Q4  after the first failed commit no plan runs: each rejects with that failure as cause
 */
import type { Change } from "./change.ts";
import { IndexError, ioError } from "./errors.ts";
import type { IndexStorage } from "./index-storage.ts";
import { StagedState } from "./staged-state.ts";

/** Decides on changes, or throws and changes nothing. No side effects. */
export type Plan<T> = (state: StagedState) => { readonly changes: readonly Change[]; readonly result: T };

interface WaitingPlan {
  readonly kind: "plan";
  readonly run: (state: StagedState) => void;
  readonly settle: (failure: IndexError | undefined) => void;
}

interface WaitingTask {
  readonly kind: "task";
  /** Never rejects. */
  readonly run: () => Promise<void>;
}

export class ChangeQueue {
  readonly #storage: IndexStorage;
  readonly #waiting: (WaitingPlan | WaitingTask)[] = [];
  #draining: Promise<void> | undefined;
  #failure: IndexError | undefined;

  constructor(storage: IndexStorage) {
    this.#storage = storage;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  submit<T>(plan: Plan<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let outcome: { readonly result: T } | { readonly refusal: unknown };
      const run = (state: StagedState): void => {
        try {
          const { changes, result } = plan(state);
          state.stage(changes);
          outcome = { result };
        } catch (refusal) {
          outcome = { refusal };
        }
      };
      const settle = (failure: IndexError | undefined): void => {
        if (failure !== undefined) reject(failure);
        else if ("refusal" in outcome) reject(outcome.refusal);
        else resolve(outcome.result);
      };
      this.#enqueue({ kind: "plan", run, settle });
    });
  }

  /** Runs the task while nothing changes, failed or not. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ kind: "task", run: () => task().then(resolve, reject) });
    });
  }

  /** Resolves when everything handed in so far is settled. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  #enqueue(waiting: WaitingPlan | WaitingTask): void {
    this.#waiting.push(waiting);
    this.#draining ??= this.#drain();
  }

  /** Never rejects: each failure goes to the callers it took down. */
  async #drain(): Promise<void> {
    // One turn of the microtask queue, so that changes made together are committed together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const plans = this.#takePlans();
      if (plans.length > 0) {
        const failure = this.#failure === undefined ? await this.#commit(plans) : repeated(this.#failure);
        for (const { settle } of plans) settle(failure);
        continue;
      }
      const task = this.#waiting.shift();
      if (task?.kind === "task") await task.run();
    }
    this.#draining = undefined;
  }

  /** The plans at the head of the queue, up to the next task. */
  #takePlans(): WaitingPlan[] {
    const next = this.#waiting.findIndex(({ kind }) => kind === "task");
    const taken = this.#waiting.splice(0, next === -1 ? this.#waiting.length : next);
    return taken.filter((waiting) => waiting.kind === "plan");
  }

  async #commit(plans: readonly WaitingPlan[]): Promise<IndexError | undefined> {
    const state = new StagedState(this.#storage);
    for (const { run } of plans) run(state);
    if (state.changes.length === 0) return undefined;
    try {
      await this.#storage.commit(state.changes, state.revision);
      return undefined;
    } catch (cause) {
      this.#failure = ioError("writing the index", cause);
      return this.#failure;
    }
  }
}

function repeated(first: IndexError): IndexError {
  return new IndexError("INDEX_IO", "an earlier write to the index failed: open it again", { cause: first });
}
