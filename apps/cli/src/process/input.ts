import { fstatSync } from "node:fs";
import type { Readable } from "node:stream";
import { CliError } from "../cli-error.ts";

/** Standard input. It is not touched before it is asked for: an open pipe that nobody reads keeps a process alive. */
export class Input {
  readonly #open: () => Readable & { readonly isTTY?: boolean };
  readonly #fd: number;

  /** @param fd the descriptor behind the stream that `open` returns */
  constructor(open: () => Readable & { readonly isTTY?: boolean }, fd: number) {
    this.#open = open;
    this.#fd = fd;
  }

  /** Whether a person types. */
  get isTerminal(): boolean {
    return this.#open().isTTY === true;
  }

  /**
   * The bytes as they come, ending at the end of the input or when `signal` fires.
   * @throws CliError `INPUT`
   */
  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    // The stream that Node makes for a directory ends at once, as if the input were empty.
    if (isDirectory(this.#fd)) throw new CliError("INPUT", "standard input is a directory");
    const stream = this.#open();
    const stop = (): void => {
      stream.destroy();
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const chunk of stream) {
        if (signal.aborted) return;
        yield chunk as Uint8Array;
      }
    } catch (error) {
      // Destroyed by `stop`: the stream calls that a premature end.
      if (signal.aborted) return;
      throw new CliError("INPUT", `standard input could not be read: ${messageOf(error)}`, { cause: error });
    } finally {
      signal.removeEventListener("abort", stop);
      stream.destroy();
    }
  }

  /** What a person types up to the next newline, trimmed; undefined when the input ends first. */
  async line(): Promise<string | undefined> {
    let text = "";
    for await (const chunk of this.chunks(new AbortController().signal)) {
      text += Buffer.from(chunk).toString("utf8");
      const end = text.indexOf("\n");
      if (end !== -1) return text.slice(0, end).trim();
    }
    return undefined;
  }
}

function isDirectory(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory();
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
