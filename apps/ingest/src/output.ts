/** Where a run writes: lines to standard output, and on a terminal one line that changes while work goes on. */
import { styleText } from "node:util";
import type { Clock } from "@varve/fs-core";
import { type Paint, plainPaint } from "./report.ts";

export interface Output {
  readonly paint: Paint;
  lines(lines: readonly string[]): void;
  /** May be called often. */
  progress(text: string): void;
}

/** Shows nothing: for `--json`, whose document is all there is. */
export const silentOutput: Output = { paint: plainPaint, lines: () => {}, progress: () => {} };

const repaintUs = 100_000;

export class TerminalOutput implements Output {
  readonly paint: Paint;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  readonly #clock: Clock;
  readonly #showsProgress: boolean;
  #paintedUs = Number.NEGATIVE_INFINITY;
  #hasProgress = false;

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, clock: Clock) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#clock = clock;
    this.#showsProgress = stdout.isTTY === true && stderr.isTTY === true;
    // Follows the terminal's abilities and NO_COLOR.
    const style = (format: "green" | "red" | "dim" | "bold") => (text: string) =>
      styleText(format, text, { stream: stdout });
    this.paint = { good: style("green"), bad: style("red"), dim: style("dim"), strong: style("bold") };
  }

  lines(lines: readonly string[]): void {
    this.#clear();
    if (lines.length > 0) this.#stdout.write(`${lines.join("\n")}\n`);
  }

  progress(text: string): void {
    if (!this.#showsProgress) return;
    const nowUs = this.#clock.monotonicUs();
    if (nowUs - this.#paintedUs < repaintUs) return;
    this.#paintedUs = nowUs;
    this.#hasProgress = true;
    this.#stderr.write(`\r\x1b[K${text.slice(0, Math.max(0, this.#stderr.columns - 1))}`);
  }

  #clear(): void {
    if (!this.#hasProgress) return;
    this.#hasProgress = false;
    this.#stderr.write("\r\x1b[K");
  }
}
