/** Failures by error code, bounded: codes become labels, and a label must not grow with what an error says. */

const mostCodes = 16;
const wellFormed = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Counts errors by their `code`; `UNKNOWN` when there is none that looks like one, `OTHER` beyond 16 codes. */
export class FailureCodes {
  readonly #counts: Map<string, number> = new Map();

  add(error: unknown): void {
    const code = codeOf(error);
    const kept = this.#counts.has(code) || this.#counts.size < mostCodes ? code : "OTHER";
    this.#counts.set(kept, (this.#counts.get(kept) ?? 0) + 1);
  }

  /** Frozen. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.freeze(Object.fromEntries(this.#counts));
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "UNKNOWN";
  const { code } = error;
  return typeof code === "string" && wellFormed.test(code) ? code : "UNKNOWN";
}
