import { toAofError, type AofError } from "./errors.ts";

/** What a log does besides appending and reading. */
export type BackgroundTaskName = "flush" | "finalize" | "preallocate" | "index" | "retention" | "cursors";

/**
 * Owns every promise that nobody awaits: runs tasks, remembers the last failure of each kind, and can be waited for.
 * Tasks of one name run one after another.
 */
export class BackgroundTasks {
  readonly #errors = new Map<BackgroundTaskName, AofError>();
  readonly #failing = new Set<BackgroundTaskName>();
  readonly #tails = new Map<BackgroundTaskName, Promise<void>>();
  readonly #counts = new Map<BackgroundTaskName, number>();
  readonly #onError: (name: BackgroundTaskName, error: AofError) => void;

  /** @param onError called after the failure was noted */
  constructor(onError: (name: BackgroundTaskName, error: AofError) => void) {
    this.#onError = onError;
  }

  /** The last failure of each kind of task; empty when all is well. */
  get errors(): ReadonlyMap<BackgroundTaskName, AofError> {
    return this.#errors;
  }

  /** Those of {@link errors} whose task has not succeeded since. */
  get failing(): ReadonlySet<BackgroundTaskName> {
    return this.#failing;
  }

  /** How many of this name are waiting or running. */
  pending(name: BackgroundTaskName): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Runs `task` after the others of its name. Never rejects. */
  run(name: BackgroundTaskName, task: () => Promise<void>): Promise<void> {
    this.#counts.set(name, this.pending(name) + 1);
    const before = this.#tails.get(name) ?? Promise.resolve();
    const run = before.then(task).then(
      () => {
        this.#done(name);
        this.#failing.delete(name);
      },
      (error: unknown) => {
        this.#done(name);
        this.note(name, toAofError(error, `background task ${name}`));
      },
    );
    this.#tails.set(name, run);
    return run;
  }

  note(name: BackgroundTaskName, error: AofError): void {
    this.#errors.set(name, error);
    this.#failing.add(name);
    this.#onError(name, error);
  }

  /** Resolves when everything that was begun has ended, what it began included. */
  async settled(): Promise<void> {
    for (;;) {
      const tails = [...this.#tails.values()];
      await Promise.all(tails);
      if ([...this.#tails.values()].every((tail) => tails.includes(tail))) return;
    }
  }

  #done(name: BackgroundTaskName): void {
    this.#counts.set(name, this.pending(name) - 1);
  }
}
