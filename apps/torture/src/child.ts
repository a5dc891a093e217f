/** A program under observation: what it printed so far, and its end. */
import { type ChildProcess, spawn } from "node:child_process";

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  stdout = "";
  stderr = "";
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  #onOutput: (() => void) | undefined;

  /** @param command for `/bin/sh`; `exec` makes signals reach the program itself */
  constructor(command: string) {
    this.#process = spawn("/bin/sh", ["-c", `exec ${command}`], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#onOutput?.();
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#process.on("error", reject);
      this.#process.on("close", (code, signal) => {
        resolve({ code, signal });
        this.#onOutput?.();
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Resolves when the output is as `isEnough` wants it, or the program ended. */
  async until(isEnough: (stdout: string) => boolean): Promise<void> {
    let isOver = false;
    void this.ended.then(() => {
      isOver = true;
    });
    while (!isOver && !isEnough(this.stdout)) {
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
    this.#onOutput = undefined;
  }
}
