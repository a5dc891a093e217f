import { usageError } from "../cli-error.ts";

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Whether `text` looks like a duration at all: digits, perhaps a fraction, and letters. */
export function looksLikeDuration(text: string): boolean {
  return /^\d+(?:\.\d+)?[a-z]+$/i.test(text);
}

/**
 * Reads a length of time: `500ms`, `90s`, `15m`, `1.5h`, `2d`, `1w`.
 * @returns whole milliseconds
 * @throws CliError `USAGE`
 */
export function parseDurationMs(text: string, name: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d|w)$/.exec(text);
  const unit = unitMs[match?.[2] ?? ""];
  const milliseconds = unit === undefined ? Number.NaN : Math.round(Number(match?.[1]) * unit);
  if (!Number.isSafeInteger(milliseconds)) {
    throw usageError(
      `${name}: got ${JSON.stringify(text)}, want a length of time such as 500ms, 90s, 15m, 2h, 3d or 1w`,
    );
  }
  return milliseconds;
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. */
export function formatDurationMs(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
