import type { Clock } from "@varve/fs-core";

/** The part of standard error that is used here. */
export interface NoteStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Between two drawings of the progress line. */
const redrawMs = 100;

/** What is said beside the results, on standard error. Silent with `--json`, when only errors appear there. */
export class Notes {
  readonly #stream: NoteStream;
  readonly #clock: Clock;
  readonly #isQuiet: boolean;
  #drawnAtUs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(stream: NoteStream, clock: Clock, isQuiet: boolean) {
    this.#stream = stream;
    this.#clock = clock;
    this.#isQuiet = isQuiet;
  }

  /** Whether a person sees it. */
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** A line, below a cleared progress line. */
  line(text: string): void {
    if (this.#isQuiet) return;
    this.clearProgress();
    this.#stream.write(`${text}\n`);
  }

  /** A question, without a newline: the answer comes behind it. */
  ask(text: string): void {
    this.clearProgress();
    this.#stream.write(text);
  }

  /**
   * Draws how far the work is, over the last drawing and at most ten times a second. Only on a terminal: in a file it
   * would be rubbish.
   * @param text made only when it is drawn
   */
  progress(done: number, total: number, text: () => string): void {
    if (this.#isQuiet || !this.isTerminal) return;
    const nowUs = this.#clock.monotonicUs();
    if (nowUs - this.#drawnAtUs < redrawMs * 1000) return;
    this.#drawnAtUs = nowUs;
    this.#isDrawn = true;
    const line = `${progressBar(done, total)} ${text()}`;
    this.#stream.write(`\r${line.slice(0, (this.#stream.columns ?? 80) - 1)}\u001B[K`);
  }

  clearProgress(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#stream.write("\r\u001B[K");
  }
}

/** `[########............]  40%`. */
export function progressBar(done: number, total: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
  const filled = Math.floor(share * 20);
  return `[${"#".repeat(filled)}${".".repeat(20 - filled)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
}
