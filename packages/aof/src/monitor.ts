/**
 * Looks at a log again and again, and calls when something is wrong and when it is well again.
 *
 * Always true: one look at a time, the next one `intervalMs` after the last was dealt with; what a callback throws is
 * the monitor's to report and ends nothing; after `close()` resolved nothing is called any more. Its timer does not keep
 * the process alive.
 */
import { type Clock, systemClock, type TimerHandle } from "@varve/fs-core";
import { AofError } from "./errors.ts";
import type { HealthReport } from "./health.ts";
import type { AofMetricsSnapshot } from "./metrics.ts";
import {
  defaultMonitorRules,
  freshRule,
  judge,
  type MonitorRule,
  ruleProblems,
  type RuleState,
} from "./monitor-rules.ts";
import { type MonitoredValues, monitoredValues } from "./monitor-values.ts";

/** What can be monitored: an `Aof`, or anything that answers likewise. */
export interface MonitoredLog {
  performanceMetrics(): AofMetricsSnapshot;
  /** Without it, rules of kind `health` find nothing. */
  health?(): HealthReport;
}

/** One look. Plain JSON. */
export interface MonitorReport {
  /** Wall time in microseconds since 1970: a label, never an order. */
  readonly atUs: number;
  readonly values: MonitoredValues;
  readonly health: HealthReport | undefined;
  /** Alerts that are raised now, those of this look included. */
  readonly alerts: readonly RaisedAlert[];
}

/** An alert that was raised and is not cleared. */
export interface RaisedAlert {
  /** The rule's name. */
  readonly rule: string;
  /** Wall time of the look that raised it, microseconds since 1970. */
  readonly sinceUs: number;
  /** As of the last look that had a value. */
  readonly value: number | string | undefined;
  /** The bound that was crossed; for an adaptive rule as it stood then. */
  readonly threshold: number | string | undefined;
}

/** Given to `onAlert`: once when an alert is raised, once when it is cleared. */
export interface AlertEvent extends RaisedAlert {
  readonly type: "raised" | "cleared";
  /** From raising to now, by the monotonic clock; 0 when raised. */
  readonly durationMs: number;
  /** One line for a log. */
  readonly message: string;
}

/** How a monitor watches. */
export interface MonitorSettings {
  /** From the end of one look to the next. 100 to 2^31 - 1. Default 60,000. */
  readonly intervalMs?: number;
  /** Default {@link defaultMonitorRules}, which may be spread into a longer list. */
  readonly rules?: readonly MonitorRule[];
  /** May be asynchronous: the next look waits for it. */
  readonly onAlert: (event: AlertEvent) => void | Promise<void>;
  /** Each look, after its alerts: throughput, hit rate and the rest, for whoever writes them down. */
  readonly onReport?: (report: MonitorReport) => void | Promise<void>;
  /** What a callback threw, or the log when asked. Default: a warning of the process. */
  readonly onError?: (error: unknown) => void;
  /** Ends it like `close()`. */
  readonly signal?: AbortSignal;
}

/** Live collaborators of a monitor. */
export interface MonitorParts {
  readonly clock?: Clock;
}

/** A monitor at work. */
export interface Monitor extends AsyncDisposable {
  /** The last look; undefined before the first. */
  readonly lastReport: MonitorReport | undefined;
  /** Looks now instead of at the next turn of the timer; waits for a look under way. Never rejects. */
  check(): Promise<void>;
  /** Ends it. Waits for callbacks under way, so a callback that awaits it waits for itself. Idempotent. */
  close(): Promise<void>;
}

/**
 * Watches `log` until it is closed or its signal fires. The first look comes after `intervalMs`.
 * @throws AofError `INVALID_ARGUMENT` naming every broken setting
 */
export function monitor(log: MonitoredLog, settings: MonitorSettings, parts: MonitorParts = {}): Monitor {
  const problems = settingProblems(settings);
  if (problems.length > 0) throw new AofError("INVALID_ARGUMENT", problems.join("\n"));
  return new LogMonitor(log, settings, parts.clock ?? systemClock);
}

interface WatchedRule {
  readonly rule: MonitorRule;
  state: RuleState;
  raised: (RaisedAlert & { readonly raisedAtUs: number }) | undefined;
}

class LogMonitor implements Monitor {
  readonly #log: MonitoredLog;
  readonly #settings: MonitorSettings;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #rules: readonly WatchedRule[];
  readonly #onAbort: () => void = () => void this.close();
  #before: AofMetricsSnapshot | undefined;
  #timer: TimerHandle | undefined;
  /** The look under way, or the last one. Never rejects. */
  #look: Promise<void> = Promise.resolve();
  #isClosed = false;
  #lastReport: MonitorReport | undefined;

  constructor(log: MonitoredLog, settings: MonitorSettings, clock: Clock) {
    this.#log = log;
    this.#settings = settings;
    this.#intervalMs = settings.intervalMs ?? 60_000;
    this.#clock = clock;
    this.#rules = (settings.rules ?? defaultMonitorRules).map((rule) => ({
      rule,
      state: freshRule,
      raised: undefined,
    }));
    // What happened before the monitor began is not its to report.
    this.#guard(() => {
      this.#before = log.performanceMetrics();
    });
    if (settings.signal?.aborted === true) this.#isClosed = true;
    settings.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#arm();
  }

  get lastReport(): MonitorReport | undefined {
    return this.#lastReport;
  }

  check(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#look = this.#look.then(() => this.#lookOnce()).then(() => this.#arm());
    return this.#look;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#look;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #arm(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(
      this.#intervalMs,
      () => {
        this.#timer = undefined;
        void this.check();
      },
      { background: true },
    );
  }

  async #lookOnce(): Promise<void> {
    if (this.#isClosed) return;
    let now: AofMetricsSnapshot;
    let health: HealthReport | undefined;
    try {
      now = this.#log.performanceMetrics();
      health = this.#log.health?.();
    } catch (error) {
      this.#report(error);
      return;
    }
    const values = monitoredValues(this.#before ?? now, now);
    this.#before = now;
    const atUs = this.#clock.wallUs();
    const events = this.#rules.flatMap((watched) => this.#judge(watched, values, health, atUs) ?? []);
    const alerts = this.#rules.flatMap(({ raised }) => (raised === undefined ? [] : [plain(raised)]));
    this.#lastReport = Object.freeze({ atUs, values, health, alerts });
    const { onAlert, onReport } = this.#settings;
    for (const event of events) await this.#call(() => onAlert(event));
    const report = this.#lastReport;
    if (onReport !== undefined) await this.#call(() => onReport(report));
  }

  #judge(
    watched: WatchedRule,
    values: MonitoredValues,
    health: HealthReport | undefined,
    atUs: number,
  ): AlertEvent | undefined {
    const { state, value, threshold } = judge(watched.rule, watched.state, values, health);
    watched.state = state;
    const { raised } = watched;
    const nowUs = this.#clock.monotonicUs();
    const { name } = watched.rule;
    if (raised === undefined) {
      if (!state.isRaised) return undefined;
      watched.raised = { rule: name, sinceUs: atUs, value, threshold, raisedAtUs: nowUs };
      const message = `${name}: ${show(value)}, the bound is ${show(threshold)}`;
      return { type: "raised", ...plain(watched.raised), durationMs: 0, message };
    }
    if (state.isRaised) {
      if (value !== undefined) watched.raised = { ...raised, value };
      return undefined;
    }
    watched.raised = undefined;
    const durationMs = (nowUs - raised.raisedAtUs) / 1000;
    const message = `${name}: ${show(value)} again after ${Math.round(durationMs / 1000)} s`;
    return { type: "cleared", ...plain(raised), value, durationMs, message };
  }

  async #call(callback: () => void | Promise<void>): Promise<void> {
    if (this.#isClosed) return;
    try {
      await callback();
    } catch (error) {
      this.#report(error);
    }
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const { onError } = this.#settings;
    try {
      if (onError !== undefined) {
        onError(error);
        return;
      }
    } catch (second) {
      warn(second);
    }
    warn(error);
  }
}

function plain({ rule, sinceUs, value, threshold }: RaisedAlert): RaisedAlert {
  return { rule, sinceUs, value, threshold };
}

function show(value: number | string | undefined): string {
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : (value ?? "no value");
}

function warn(error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a monitor's callback failed: ${detail}`, { code: "VARVE_MONITOR_FAILED" });
}

function settingProblems({ intervalMs, rules, onAlert, onReport, onError }: MonitorSettings): string[] {
  const problems: string[] = [];
  if (intervalMs !== undefined && !(Number.isInteger(intervalMs) && intervalMs >= 100 && intervalMs < 2 ** 31)) {
    problems.push(`intervalMs: got ${String(intervalMs)}, want an integer in 100..2^31-1`);
  }
  if (typeof onAlert !== "function") problems.push("onAlert: want a function");
  if (onReport !== undefined && typeof onReport !== "function") problems.push("onReport: want a function");
  if (onError !== undefined && typeof onError !== "function") problems.push("onError: want a function");
  if (rules !== undefined) problems.push(...ruleProblems(rules));
  return problems;
}
