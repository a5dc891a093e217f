/**
 * How far rewrites are that take several calls. Entries never change, so a call that is sent again, because its answer
 * was lost, does its step again and nothing else.
 *
 * Always true between awaits:
 *  I1  at most `limit` entries; the oldest makes room
 */

/** What a token stands for. */
export interface RewriteProgress {
  /** Source, destination and metadata: what each call of one rewrite must repeat. */
  readonly subject: string;
  /** Of the source when the rewrite began. */
  readonly generation: bigint;
  readonly rewrittenBytes: number;
}

export class RewriteTokens {
  readonly #limit: number;
  readonly #byToken: Map<string, RewriteProgress> = new Map();

  constructor(limit: number = 1000) {
    this.#limit = limit;
  }

  get(token: string): RewriteProgress | undefined {
    return this.#byToken.get(token);
  }

  add(token: string, progress: RewriteProgress): void {
    const [oldest] = this.#byToken.keys();
    if (this.#byToken.size >= this.#limit && oldest !== undefined) this.#byToken.delete(oldest);
    this.#byToken.set(token, progress);
  }
}
