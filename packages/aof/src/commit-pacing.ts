/**
 * One group of waiting callers or two? Pure; times are handed in.
 *
 * Callers that each wait for their own append come in bursts: a sync wakes them all, each appends again, and the next
 * sync serves them together. While they append, the disk idles. Split in two, one half appends while the other's sync
 * runs. With n callers that take c each and a sync of s, one group makes n / (n·c + s) appends a second, two make
 * n / max(2·s, n·c): two are better exactly when s < n·c.
 */

/** Syncs between two looks at what a burst costs, which only shows while there is one group. */
const measureEvery = 64;
/** Two groups must promise this much more: each needs a wake-up of its own. */
const least = 1.2;

export class CommitPacing {
  #recordUs = 0;
  #previousRecords = 0;
  #sinceMeasured = 0;
  #startAt = Number.POSITIVE_INFINITY;

  /** Start a sync as soon as so many records wait for it; `Infinity`: in the next turn of the loop, when all have come. */
  get startAt(): number {
    return this.#startAt;
  }

  /** A burst of `records` was appended in one turn of the loop, `us` long, while no sync ran. */
  gathered(records: number, us: number): void {
    if (this.#startAt !== Number.POSITIVE_INFINITY || records <= 0) return;
    const each = us / records;
    this.#recordUs = this.#recordUs === 0 ? each : this.#recordUs * 0.8 + each * 0.2;
  }

  /** A sync of `records` took `us`. */
  synced(records: number, us: number): void {
    const isSplit = this.#startAt !== Number.POSITIVE_INFINITY;
    const all = isSplit ? records + this.#previousRecords : records;
    this.#previousRecords = records;
    this.#sinceMeasured++;
    const isSlow = this.#sinceMeasured % measureEvery === 0;
    const pays = all >= 4 && all * this.#recordUs > us * least;
    this.#startAt = pays && !isSlow ? Math.ceil(all / 2) : Number.POSITIVE_INFINITY;
  }
}
