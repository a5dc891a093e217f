/**
 * The resumable uploads of a server.
 *
 * Always true between awaits:
 *  I1  at most `limit` sessions are known; one that ended makes room before an open one is refused
 *  I2  a session older than a week is gone
 */
import type { Clock } from "@varve/fs-core";
import { ApiError } from "./api-error.ts";
import type { UploadSession } from "./upload-session.ts";

/** The service keeps a session for a week. */
export const sessionLifeMs: number = 7 * 24 * 3600 * 1000;

export class UploadSessions {
  readonly #clock: Clock;
  readonly #limit: number;
  /** In the order of their starts. */
  readonly #byId: Map<string, UploadSession> = new Map();

  constructor(clock: Clock, limit: number = 10_000) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** @throws ApiError 429 when too many are open */
  add(session: UploadSession): void {
    if (this.#byId.size >= this.#limit) this.#makeRoom();
    this.#byId.set(session.start.id, session);
  }

  /** @throws ApiError 404 for an unknown one, 410 for one that was cancelled or is too old */
  get(id: string): UploadSession {
    const session = this.#byId.get(id);
    if (session === undefined) throw new ApiError(404, "notFound", "No such upload session.");
    this.#expire(session);
    if (session.end?.kind === "gone") {
      throw new ApiError(410, "gone", `The upload session is ${session.end.why}.`);
    }
    return session;
  }

  /** Without asking how it is, for logs. */
  find(id: string): UploadSession | undefined {
    return this.#byId.get(id);
  }

  /** For tests: those whose end nobody needs to ask about, too. */
  all(): UploadSession[] {
    const sessions = [...this.#byId.values()];
    for (const session of sessions) this.#expire(session);
    return sessions;
  }

  #expire(session: UploadSession): void {
    if (this.#clock.monotonicUs() - session.start.startedUs >= sessionLifeMs * 1000) session.abandon("expired");
  }

  #makeRoom(): void {
    for (const [id, session] of this.#byId) {
      this.#expire(session);
      if (session.end === undefined) continue;
      this.#byId.delete(id);
      return;
    }
    throw new ApiError(429, "rateLimitExceeded", `${this.#limit} upload sessions are open.`);
  }
}
