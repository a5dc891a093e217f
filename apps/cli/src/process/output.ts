/** Standard output: as fast as its reader, complete or an error, and no fuss when the reader leaves. */
import { fstatSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { CliError } from "../cli-error.ts";

/** Whoever read the output closed it, as `head` does: not a failure, but nothing more can be said. */
export class OutputClosed extends Error {
  override readonly name: string = "OutputClosed";
}

export class Output {
  readonly #sink: Sink;
  readonly #stream: Writable & { readonly isTTY?: boolean };

  /** @param fd the descriptor behind `stream` */
  constructor(stream: Writable & { readonly isTTY?: boolean }, fd: number) {
    this.#stream = stream;
    this.#sink = isRegularFile(fd) ? new FileSink(fd) : new StreamSink(stream);
  }

  /** Whether a person looks at it. */
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /**
   * Resolves when there is room for more.
   * @throws OutputClosed when the reader left, CliError `OUTPUT` when it could not be written
   */
  write(data: string | Uint8Array): Promise<void> {
    return this.#sink.write(typeof data === "string" ? Buffer.from(data) : data);
  }

  /** Resolves when all of it is handed to the operating system. @throws as {@link write} */
  end(): Promise<void> {
    return this.#sink.end();
  }

  /** Gives up on a reader that does not read: pending and later writes fail with `OutputClosed`. */
  abandon(): void {
    this.#sink.abandon();
  }
}

interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  abandon(): void;
}

/** Pipes, sockets, terminals. */
class StreamSink implements Sink {
  readonly #stream: Writable;
  #failure: Error | undefined;
  #waiting: ((failure?: Error) => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      const isReaderGone =
        error.code === "EPIPE" || error.code === "ECONNRESET" || error.code === "ERR_STREAM_DESTROYED";
      this.#fail(isReaderGone ? new OutputClosed() : outputError(error));
    });
    stream.on("drain", () => this.#wake());
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stream.write(bytes)) return;
    await this.#wait();
  }

  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    // Errors come through the listener; the callback only says that everything before it went out.
    this.#stream.write("", (error) => {
      if (error === null || error === undefined) this.#wake();
    });
    await this.#wait();
  }

  abandon(): void {
    this.#fail(new OutputClosed());
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(this.#failure);
  }
}

/**
 * Files. On a nearly full disk a write takes a part and reports no error, and the stream that Node makes for a
 * redirected stdout does not look at the count: a copy would end short, with exit code 0.
 */
class FileSink implements Sink {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    } catch (error) {
      throw outputError(error);
    }
  }

  async end(): Promise<void> {}

  /** A file always takes what it is given. */
  abandon(): void {}
}

function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

function outputError(error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error);
  return new CliError("OUTPUT", `standard output could not be written: ${message}`, { cause: error });
}
