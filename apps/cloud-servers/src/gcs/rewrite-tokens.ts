/**
 * How far rewrites are that take several calls. Entries never change, so a call that is sent again, because its answer
 * was lost, does its step again and nothing else.
 *
 * Always true between awaits:
 *  I1  at most `limit` entries; the oldest makes room
 *  I2  a token older than a week is of no use
 */
import type { Clock } from "@varve/fs-core";
import { ApiError, invalidParameter } from "./api-error.ts";
import type { Target } from "./call.ts";
import type { Query } from "./query.ts";

const tokenLifeUs = 7 * 24 * 3600 * 1e6;

/** What the first call of a rewrite asked for. Later calls may leave it out; what they say must be the same. */
export interface RewriteRequest {
  readonly target: Target;
  readonly query: Query;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a token stands for. */
export interface RewriteProgress {
  readonly first: RewriteRequest;
  /** Of the source when the rewrite began. */
  readonly generation: bigint;
  readonly rewrittenBytes: number;
}

export class RewriteTokens {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #byToken: Map<string, { readonly progress: RewriteProgress; readonly addedUs: number }> = new Map();

  constructor(clock: Clock, limit: number = 1000) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** @throws ApiError 400 for an unknown token and one of another rewrite, 410 for one that is too old */
  resume(token: string, request: RewriteRequest, parameters: readonly string[]): RewriteProgress {
    const entry = this.#byToken.get(token);
    if (entry === undefined) throw invalidParameter("rewriteToken", "unknown");
    if (this.#clock.monotonicUs() - entry.addedUs >= tokenLifeUs) {
      throw new ApiError(410, "gone", "The rewrite token expired.");
    }
    const { first } = entry.progress;
    const changed =
      JSON.stringify(request.target) === JSON.stringify(first.target)
        ? parameters.find((name) => ![undefined, first.query.get(name)].includes(request.query.get(name)))
        : "the objects";
    if (changed !== undefined) throw invalidParameter("rewriteToken", `of a rewrite that differs in ${changed}`);
    const isOtherBody =
      Object.keys(request.body).length > 0 && JSON.stringify(request.body) !== JSON.stringify(first.body);
    if (isOtherBody) throw invalidParameter("rewriteToken", "of a rewrite with another body");
    return entry.progress;
  }

  add(token: string, progress: RewriteProgress): void {
    const [oldest] = this.#byToken.keys();
    if (this.#byToken.size >= this.#limit && oldest !== undefined) this.#byToken.delete(oldest);
    this.#byToken.set(token, { progress, addedUs: this.#clock.monotonicUs() });
  }
}
