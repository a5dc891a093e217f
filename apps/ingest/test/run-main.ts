import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** How a run of the program ended. */
export interface MainEnd {
  readonly code: number | null;
  /** The name of the signal that ended it. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program in a process of its own, as `npm start` runs it. */
export class Main {
  readonly process: ChildProcess;
  readonly ended: Promise<MainEnd>;
  #stdout = "";
  #stderr = "";
  #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  constructor(args: readonly string[], cwd: string) {
    this.process = spawn(process.execPath, [entry, ...args], { cwd, stdio: "pipe" });
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#waiting = this.#waiting.filter(({ text: wanted, resolve }) => {
        if (!this.#stdout.includes(wanted)) return true;
        resolve();
        return false;
      });
    });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.process.once("error", reject);
      this.process.once("close", (code, signal) =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  /** Resolves when it has printed `text`, or has ended. */
  async printed(text: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      if (this.#stdout.includes(text)) resolve();
      else this.#waiting.push({ text, resolve });
    });
    await Promise.race([seen, this.ended]);
  }
}

/** Runs the program to its end. */
export async function runMain(args: readonly string[], cwd: string, input?: string): Promise<MainEnd> {
  const main = new Main(args, cwd);
  main.process.stdin?.end(input ?? "");
  return main.ended;
}
