/**
 * The programs of a cluster: some run once, some stay.
 *
 * Always true:
 *  I1  whatever was started ends with `close`, and with this process, however it ended
 *  I2  `close` resolves when all have ended
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, createWriteStream } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian's packages of the programs that a cluster of one needs. */
const packages: Readonly<Record<string, string>> = {
  radosgw: "radosgw",
  "radosgw-admin": "radosgw",
  "ceph-mon": "ceph-mon",
  "ceph-osd": "ceph-osd",
  ceph: "ceph-common",
  "ceph-authtool": "ceph-common",
  monmaptool: "ceph-common",
  setpriv: "util-linux",
};

/** A program that is needed is not installed. */
export class MissingProgramError extends Error {
  override readonly name = "MissingProgramError";
}

/** @throws MissingProgramError that says how to install what is missing */
export function assertInstalled(path: string = process.env["PATH"] ?? ""): void {
  const missing = Object.keys(packages).filter((program) => !isIn(path, program));
  if (missing.length === 0) return;
  const wanted = new Set(missing.map((program) => packages[program]));
  throw new MissingProgramError(
    `${missing.join(", ")}: not installed. On Debian: apt-get install --no-install-recommends ${[...wanted].join(" ")}`,
  );
}

function isIn(path: string, program: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export class CephProcesses {
  readonly #directory: string;
  readonly #running = new Map<ChildProcess, Promise<unknown>>();
  /** Rejects when one that stays has ended by itself. */
  readonly #lost: Promise<never>;
  #onLost: (error: Error) => void = () => {};
  #isClosed = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.#lost = new Promise((_resolve, reject) => {
      this.#onLost = reject;
    });
    // Whoever waits sees it; nobody may be waiting.
    this.#lost.catch(() => {});
  }

  /** Starts what stays. Its output goes to `<program>.out` in the directory. */
  start(program: string, ...args: readonly string[]): void {
    const child = this.#spawn(program, args);
    const output = createWriteStream(join(this.#directory, `${program}.out`));
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
    void this.#running.get(child)?.then(() => {
      output.end();
      if (!this.#isClosed) this.#onLost(new Error(`${program} ended; its log is in ${this.#directory}`));
    });
  }

  /** Runs what ends by itself. @throws Error with the output of one that fails, or the signal's reason */
  async run(signal: AbortSignal, program: string, ...args: readonly string[]): Promise<string> {
    signal.throwIfAborted();
    const child = this.#spawn(program, args);
    let output = "";
    let errors = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (output += piece));
    child.stderr?.setEncoding("utf8").on("data", (piece: string) => (errors += piece));
    const stop = (): void => {
      child.kill("SIGKILL");
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.whileAlive(this.#running.get(child) ?? Promise.resolve());
    } finally {
      signal.removeEventListener("abort", stop);
    }
    signal.throwIfAborted();
    if (child.exitCode !== 0) throw new Error(`${program} ${args.join(" ")}: ${errors.trim().slice(-2000)}`);
    return output;
  }

  /** Settles as `promise` does, or rejects when a program that should stay has ended. */
  whileAlive<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#lost]);
  }

  /** Ends all, without giving them time: nothing of theirs is kept. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const child of this.#running.keys()) child.kill("SIGKILL");
    await Promise.all(this.#running.values());
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    if (this.#isClosed) throw new Error("the cluster was closed");
    // In a session of its own: a Ctrl-C is for us, and we end it in order. Should we be killed, the kernel ends it.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], {
      cwd: this.#directory,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, CEPH_ARGS: "", CEPH_CONF: join(this.#directory, "ceph.conf") },
    });
    const ended = once(child, "close").catch(() => {});
    this.#running.set(child, ended);
    void ended.then(() => this.#running.delete(child));
    return child;
  }
}
