/** The reader in another process, seen from the one that writes. */
import type { SequenceOutcome } from "./checks.ts";
import { Child } from "./child.ts";
import { IngestError } from "./errors.ts";
import type { FollowerJob } from "./follower-process.ts";
import type { Message } from "./protocol.ts";
import { quietMsMax, Watchdog } from "./watchdog.ts";
import type { Workspace } from "./workspace.ts";

/** Follows the log from a process of its own. */
export class Follower {
  /** Rejects when it failed, hung, or ended without a word. */
  readonly outcome: Promise<SequenceOutcome>;
  readonly #child: Child;
  readonly #isReading: Promise<void>;
  #noteReading: () => void = () => {};
  #result: SequenceOutcome | undefined;
  #stalled: IngestError | undefined;
  readonly #watchdog: Watchdog;

  /** Resolves when it reads: nothing was appended yet that it has not a chance to see live. */
  static async start(firstId: number, workspace: Workspace): Promise<Follower> {
    const follower = new Follower(firstId, workspace);
    try {
      await Promise.race([follower.#isReading, follower.outcome]);
      return follower;
    } catch (error) {
      await follower.close();
      throw error;
    }
  }

  private constructor(firstId: number, { logDir, dir, inputPath, records, clock }: Workspace) {
    const job: FollowerJob = { logDir, inputDir: dir, inputPath, firstId, untilId: records };
    this.#isReading = new Promise((resolve) => {
      this.#noteReading = resolve;
    });
    this.#child = Child.start("the follower", "./follower-process.js", job, clock, (message) => this.#hear(message));
    this.#watchdog = new Watchdog(clock, quietMsMax, () => {
      this.#stalled = stalledReader("a live tail in another process");
      this.#child.kill();
    });
    this.outcome = this.#child.ended.then((end) => {
      this.#watchdog.stop();
      if (this.#stalled !== undefined) throw this.#stalled;
      if (this.#result === undefined) throw this.#child.failure(end);
      return this.#result;
    });
  }

  async close(): Promise<void> {
    await this.#child.close();
  }

  #hear(message: Message): void {
    this.#watchdog.seen();
    if (message.kind === "following") this.#noteReading();
    else if (message.kind === "followed") this.#result = message.outcome;
  }
}

/** The failure of a reader that hangs. */
export function stalledReader(where: string): IngestError {
  return new IngestError("STALLED", `${where} read nothing for ${quietMsMax / 1000} s although records were appended`);
}
