/**
 * The positions of all cursors, and their way to disk. Changes that come while a replacement of the file runs share the
 * next one.
 *
 * Always true between awaits:
 *  I1  `#stored` is what the last acknowledged replacement holds; nobody was told of anything newer
 *  I2  `#latest` is `#stored` with the changes in flight and waiting: new ones are judged against it
 *  I3  at most one replacement is in flight; a waiter resolves only after one that began after its change
 *  I4  a failed replacement rejects every waiter, and `#latest` is `#stored` again
 *
 * A failure to write the new file does not poison the log: no record is touched, and the next attempt writes another
 * file. After a failed rename or directory sync nobody knows which names are on disk: that does poison it.
 */
import type { BackgroundTasks } from "./background-tasks.ts";
import { type CursorPositions, writeCursors } from "./cursor-file.ts";
import { cursorsMax } from "./cursor-name.ts";
import { AofError, toAofError } from "./errors.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { ManifestFile } from "./manifest-file.ts";

export interface CursorStoreParts {
  readonly directory: LogDirectory;
  readonly manifest: ManifestFile;
  readonly tasks: BackgroundTasks;
  /** The log must not go on: which names are on disk is not known. */
  readonly poison: (error: AofError) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: AofError) => void;
}

export class CursorStore {
  readonly #parts: CursorStoreParts;
  #stored: CursorPositions;
  #latest: Map<string, number>;
  /** What the replacement in flight will make of `#stored`, should it succeed. */
  #inFlight: CursorPositions = new Map();
  #waiters: Waiter[] = [];
  #isRunning = false;

  constructor(positions: CursorPositions, parts: CursorStoreParts) {
    this.#stored = positions;
    this.#latest = new Map(positions);
    this.#parts = parts;
  }

  /** What survives a crash, by name. */
  get stored(): CursorPositions {
    return this.#stored;
  }

  /** What the cursor's position will be when everything booked succeeds; undefined when there is no such cursor. */
  latest(name: string): number | undefined {
    return this.#latest.get(name);
  }

  /** Positions as retention must see them: the lowest of what is stored, in flight and booked, as any may come to stay. */
  get lowest(): CursorPositions {
    const lowest = new Map(this.#stored);
    for (const [name, position] of [...this.#inFlight, ...this.#latest]) {
      lowest.set(name, Math.min(position, lowest.get(name) ?? position));
    }
    return lowest;
  }

  /**
   * Resolves when the position, or with undefined the removal, is durable.
   * @throws AofError `INVALID_ARGUMENT` when there are too many, `NO_SPACE`, `IO`, `FENCED`, …
   */
  set(name: string, position: number | undefined): Promise<void> {
    if (position === undefined) this.#latest.delete(name);
    else if (this.#latest.size >= cursorsMax && !this.#latest.has(name)) {
      throw new AofError("INVALID_ARGUMENT", `a log has at most ${cursorsMax} cursors; delete one first`);
    } else this.#latest.set(name, position);
    const done = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.#parts.tasks.run("cursors", () => this.#run());
    }
    return done;
  }

  /** Resolves when everything booked so far for the cursor is durable; at once when nothing is. */
  settled(name: string): Promise<void> {
    const latest = this.#latest.get(name);
    return latest === this.#stored.get(name) && !this.#isRunning ? Promise.resolve() : this.set(name, latest);
  }

  /** Never rejects: the waiters have the failure. */
  async #run(): Promise<void> {
    const { directory, manifest, poison } = this.#parts;
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      const positions = new Map(this.#latest);
      this.#inFlight = positions;
      try {
        await writeCursors(directory, manifest, positions, poison);
        this.#stored = positions;
        for (const { resolve } of waiters) resolve();
      } catch (error) {
        const failure = toAofError(error, "storing cursors");
        const all = [...waiters, ...this.#waiters];
        this.#waiters = [];
        this.#latest = new Map(this.#stored);
        for (const { reject } of all) reject(failure);
      }
      this.#inFlight = new Map();
    }
    this.#isRunning = false;
  }
}
