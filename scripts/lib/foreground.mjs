// Runs a program in the foreground as if it had been started directly: its input and output are ours,
// its exit code becomes ours, and a signal reaches it exactly once.
//
// Once is the hard part. Ctrl-C in a terminal goes to every process of the group, so the program has it
// already and forwarding would make it two, which many programs take for "stop now, do not tidy up".
// `kill` of this process alone goes to this process only, and then forwarding is the only way. npm
// forwards what it receives, so both may happen. To tell them apart a canary runs in the same group:
// a process that only repeats what it is told, and dies of the signal if the group got it. A signal is pending in all
// processes of a group before any of them runs on, so an answer after it means that the canary did not get it.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** @type {readonly NodeJS.Signals[]} */
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
// npm repeats a signal a few milliseconds after the group got it; a person's second Ctrl-C comes later.
const repeatMs = 500;

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} its exit code; 128 + n if signal n ended it; 127 if it could not be started
 */
export async function runForeground(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: "inherit" });
  const canary = new Canary();
  /** @type {Map<NodeJS.Signals, number>} */
  const last = new Map();
  const listeners = forwarded.map((signal) => {
    const listener = () => {
      const now = Date.now();
      const repeated = now - (last.get(signal) ?? 0) < repeatMs;
      last.set(signal, now);
      if (!repeated) canary.whenOnlyWeGotTheSignal(() => child.kill(signal));
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  try {
    return await new Promise((resolve) => {
      child.once("error", (error) => {
        process.stderr.write(`varve: cannot start ${program}: ${error.message}\n`);
        resolve(127);
      });
      child.once("close", (code, signal) => resolve(code ?? exitCodeOf(signal)));
    });
  } finally {
    // After a signal the repeat of it may still be on its way, and would end us with another code than the program's.
    if (last.size === 0) for (const { signal, listener } of listeners) process.off(signal, listener);
    canary.release();
  }
}

/** @param {NodeJS.Signals | null} signal */
export function exitCodeOf(signal) {
  return signal === null ? 1 : 128 + (constants.signals[signal] ?? 0);
}

/** A process that echoes a pipe: it ends with us, or of a signal that the whole group received. */
class Canary {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;
  #released = false;

  constructor() {
    this.#start();
  }

  #start() {
    // On Windows the console delivers Ctrl-C to every process, and nothing else delivers it at all.
    if (process.platform === "win32" || this.#released) return;
    const canary = spawn("cat", [], { stdio: ["pipe", "pipe", "ignore"] });
    canary.once("error", () => {
      this.#process = undefined;
    });
    canary.unref();
    for (const pipe of [canary.stdin, canary.stdout]) {
      // It is told something when it is dead already.
      pipe.on("error", () => {});
      /** @type {import("node:net").Socket} */ (/** @type {unknown} */ (pipe)).unref();
    }
    this.#process = canary;
  }

  /**
   * Calls back if the signal that just arrived here went to no other process of the group.
   * @param {() => void} forward
   */
  whenOnlyWeGotTheSignal(forward) {
    const canary = this.#process;
    if (canary === undefined) {
      if (process.platform !== "win32") forward();
      return;
    }
    const alive = () => {
      canary.off("exit", died);
      forward();
    };
    const died = () => {
      canary.stdout?.off("data", alive);
      this.#start();
    };
    if (canary.signalCode !== null) {
      died();
      return;
    }
    canary.once("exit", died);
    canary.stdout?.once("data", alive);
    canary.stdin?.write("?");
  }

  release() {
    this.#released = true;
    this.#process?.kill("SIGKILL");
  }
}
