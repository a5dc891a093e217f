/**
 * Tells of failures that no call reports, as an event: to listeners of the log and on `node:diagnostics_channel`.
 *
 * Always true: telling happens in a microtask of its own, so a listener finds the log between two steps and may call
 * anything, closing included; what it throws, or rejects with, becomes a warning of the process and nothing else.
 */
import { channel } from "node:diagnostics_channel";
import type { BackgroundTaskName } from "./background-tasks.ts";
import type { AofError } from "./errors.ts";

/** A failure of something that the log does by itself. */
export interface BackgroundErrorEvent {
  /** `flush` poisons the log, and so does `finalize`; the others leave it writable. */
  readonly task: BackgroundTaskName;
  readonly error: AofError;
}

/** Called once for each failure, soon after it. */
export type BackgroundErrorListener = (event: BackgroundErrorEvent) => void | Promise<void>;

/** Names of the diagnostics channels of this package. */
export const aofChannels = {
  /** Messages are {@link BackgroundErrorMessage}. */
  backgroundError: "varve:aof:background-error",
  /** Messages are `TunedMessage`. */
  tuned: "varve:aof:tuned",
} as const;

/** Published on `varve:aof:background-error`. */
export interface BackgroundErrorMessage extends BackgroundErrorEvent {
  /** `FlushMetricsSettings.name` of the log. */
  readonly name: string;
}

const failures = channel(aofChannels.backgroundError);

export class BackgroundErrorFeed {
  readonly #listeners = new Set<{ readonly listener: BackgroundErrorListener }>();
  readonly #name: () => string;

  constructor(name: () => string) {
    this.#name = name;
  }

  /** @returns ends it; idempotent */
  add(listener: BackgroundErrorListener): () => void {
    // Wrapped: the same function added twice is two listeners, each with its own end.
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  tell(task: BackgroundTaskName, error: AofError): void {
    if (this.#listeners.size === 0 && !failures.hasSubscribers) return;
    queueMicrotask(() => {
      const event: BackgroundErrorEvent = Object.freeze({ task, error });
      if (failures.hasSubscribers) {
        failures.publish({ name: this.#name(), ...event } satisfies BackgroundErrorMessage);
      }
      for (const { listener } of [...this.#listeners]) callSafely(listener, event);
    });
  }
}

function callSafely(listener: BackgroundErrorListener, event: BackgroundErrorEvent): void {
  try {
    const pending: unknown = listener(event);
    if (pending instanceof Promise) pending.catch(warn);
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a listener of background errors failed: ${detail}`, { code: "VARVE_LISTENER_FAILED" });
}
