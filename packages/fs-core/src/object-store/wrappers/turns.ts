/**
 * So many at once, the others in line.
 *
 * Always true:
 *  I1  at most `max` turns are taken and not given back
 *  I2  while somebody waits, no turn is free: it goes to whoever waits longest, never past them
 *  I3  who gives up leaves the line at once and takes no turn with them
 */
import { StoreError } from "../store-error.ts";

export class Turns {
  readonly #max: number;
  // In order of insertion; leaving from the middle costs nothing.
  readonly #line = new Set<() => void>();
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** @returns gives the turn back; idempotent. @throws StoreError `ABORTED` when `signal` fires first */
  take(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(stopped());
        return;
      }
      if (this.#taken < this.#max) {
        this.#taken++;
        resolve(this.#giver());
        return;
      }
      const onAbort = (): void => {
        this.#line.delete(onTurn);
        reject(stopped());
      };
      const onTurn = (): void => {
        this.#line.delete(onTurn);
        signal.removeEventListener("abort", onAbort);
        resolve(this.#giver());
      };
      this.#line.add(onTurn);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #giver(): () => void {
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      const [next] = this.#line;
      if (next === undefined) this.#taken--;
      else next();
    };
  }
}

function stopped(): StoreError {
  return new StoreError("ABORTED", "stopped while waiting for a turn");
}
