/**
 * Runs the command: as a process of its own, built, where pipes, signals and exit codes matter; in this process where
 * only words and results do, which is fifty times faster.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { systemClock } from "@varve/fs-core";
import { onTestFinished } from "vitest";
import { runCli } from "../src/cli.ts";
import { Input } from "../src/process/input.ts";
import { Output } from "../src/process/output.ts";
import { Stop } from "../src/process/stop.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A command that is still running. */
export class Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #ended: Promise<unknown[]>;

  constructor(file: string, words: readonly string[], env: NodeJS.ProcessEnv) {
    this.process = spawn(file, words, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    this.process.stdout.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    this.process.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    // A command that ends early closes the pipe that a test still writes to.
    this.process.stdin.on("error", () => {});
    this.#ended = once(this.process, "close");
    onTestFinished(() => {
      this.process.kill("SIGKILL");
    });
  }

  /** What it printed so far. */
  get printed(): string {
    return Buffer.concat(this.#stdout).toString("utf8");
  }

  /** Resolves when `enough` holds for what it printed. Fails when it ends before. */
  async until(enough: (printed: string) => boolean): Promise<void> {
    while (!enough(this.printed)) {
      const next = await Promise.race([once(this.process.stdout, "data"), this.#ended.then(() => "ended")]);
      if (next === "ended" && !enough(this.printed)) {
        throw new Error(`ended too early, after ${this.printed.slice(-200)}${Buffer.concat(this.#stderr).toString()}`);
      }
    }
  }

  async end(): Promise<Ended> {
    const [code, signal] = await this.#ended;
    return {
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: Buffer.concat(this.#stdout),
      stderr: Buffer.concat(this.#stderr).toString("utf8"),
    };
  }
}

export function start(...words: readonly string[]): Running {
  return new Running(process.execPath, [program, ...words], {});
}

/** Runs the built command to its end with `input` as its whole standard input. */
export async function spawned(words: readonly string[], input: string | Uint8Array = ""): Promise<Ended> {
  const running = start(...words);
  running.process.stdin.end(input);
  return running.end();
}

/** Runs the command in this process. */
export async function varve(words: readonly string[], input: string | Uint8Array = ""): Promise<Ended> {
  const stdout: Buffer[] = [];
  let stderr = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      stdout.push(chunk);
      done();
    },
  });
  const code = await runCli(words, {
    input: new Input(() => Readable.from(input.length === 0 ? [] : [Buffer.from(input)]), noFd),
    output: new Output(stream, noFd),
    errors: {
      write(chunk) {
        stderr += chunk;
      },
    },
    stop: new Stop(systemClock),
    clock: systemClock,
    version: "1.2.3",
    debug: false,
  });
  return { code, signal: null, stdout: Buffer.concat(stdout), stderr };
}

/** No descriptor: these streams are not the process's. */
const noFd = -1;

/** As {@link varve}, and its output as text; fails unless it ends with 0. */
export async function text(words: readonly string[], input: string | Uint8Array = ""): Promise<string> {
  const { code, stdout, stderr } = await varve(words, input);
  if (code !== 0) throw new Error(`varve ${words.join(" ")} ended with ${code}: ${stderr}`);
  return stdout.toString("utf8");
}

/** Runs a script of bash with pipefail on, in which `varve` is the built command and `$1` and so on are `words`. */
export async function bash(script: string, ...words: readonly string[]): Promise<Ended> {
  const prelude = `set -o pipefail; varve() { '${process.execPath}' '${program}' "$@"; }; ${script}`;
  const running = new Running("bash", ["-c", prelude, "bash", ...words], {});
  running.process.stdin.end();
  return running.end();
}

/** The error that `--json` reported. */
export function jsonError(stderr: string): Record<string, unknown> {
  return (JSON.parse(stderr) as { error: Record<string, unknown> }).error;
}

/** A path for a log that does not exist yet, gone after the test. */
export async function newLog(): Promise<string> {
  return join(await temporaryDirectory(), "log");
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "varve-cli-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** `from` to `to` as text, one a line. */
export function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `record ${from + index}\n`).join("");
}
