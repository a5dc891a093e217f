/**
 * A process of our own, seen from its parent.
 *
 * It cannot be orphaned: its standard input is a pipe that only we hold, and it ends when that pipe does, however we
 * ended. It is in a process group of its own, so that Ctrl-C in a terminal reaches us alone, and we decide.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AofErrorCode } from "@varve/aof";
import { aofErrorCodes } from "@varve/aof";
import type { Clock } from "@varve/fs-core";
import { IngestError } from "./errors.ts";
import { type Message, parseMessage } from "./protocol.ts";

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const stderrBytesMax = 16 * 1024;
/** Closing a log takes milliseconds; a child that needs longer than this hangs. */
const closeMsMax = 5000;

export class Child {
  /** Resolves when it has ended and everything it said was handed over. */
  readonly ended: Promise<ChildEnd>;
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  readonly #onMessage: (message: Message) => void;
  #unfinishedLine = "";
  #stderr = "";
  #failure: IngestError | undefined;

  /**
   * @param name for messages, such as `the writer`
   * @param script its entry file, beside this one
   * @param job handed over as JSON
   */
  static start(name: string, script: string, job: unknown, clock: Clock, onMessage: (message: Message) => void): Child {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const child = spawn(process.execPath, [path, JSON.stringify(job)], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    return new Child(name, child, clock, onMessage);
  }

  private constructor(name: string, child: ChildProcess, clock: Clock, onMessage: (message: Message) => void) {
    this.#name = name;
    this.#process = child;
    this.#clock = clock;
    this.#onMessage = onMessage;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrBytesMax);
    });
    // A dead child cannot be told to end; that it is dead arrives as `close`.
    child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve) => {
      child.once("error", (cause) => {
        this.#failure ??= new IngestError("CHILD_FAILED", `cannot start ${name}: ${cause.message}`, { cause });
        if (child.pid === undefined) resolve({ code: null, signal: null });
      });
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** What it failed with, by its own word or by the way it ended. Ask after {@link ended}. */
  failure(end: ChildEnd): IngestError {
    if (this.#failure !== undefined) return this.#failure;
    const how = end.signal === null ? `with code ${end.code}` : `by ${end.signal}`;
    const said = this.#stderr.trim();
    return new IngestError("CHILD_FAILED", `${this.#name} ended ${how}${said === "" ? "" : `, saying: ${said}`}`);
  }

  /** SIGKILL: it can do nothing about it. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Asks it to close what it has open, and resolves when it ended. */
  async close(): Promise<ChildEnd> {
    this.#process.stdin?.end();
    const timer = this.#clock.after(closeMsMax, () => this.kill());
    try {
      return await this.ended;
    } finally {
      timer.cancel();
    }
  }

  #hear(text: string): void {
    const lines = (this.#unfinishedLine + text).split("\n");
    this.#unfinishedLine = lines.pop() ?? "";
    for (const line of lines) {
      const message = parseMessage(line);
      if (message === undefined) {
        this.#failure ??= new IngestError(
          "CHILD_FAILED",
          `${this.#name} said what is not in its protocol: ${line.slice(0, 200)}`,
        );
      } else if (message.kind === "failed") {
        const { code } = message;
        const reason = (aofErrorCodes as readonly string[]).includes(code) ? (code as AofErrorCode) : undefined;
        this.#failure ??= new IngestError("CHILD_FAILED", `${this.#name} failed: ${code} ${message.message}`, {
          reason,
        });
      } else {
        this.#onMessage(message);
      }
    }
  }
}
