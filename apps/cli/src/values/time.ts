import { usageError } from "../cli-error.ts";

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * Reads an ISO 8601 time: `2026-11-21`, `2026-11-21T03:18`, `2026-11-21T03:18:10.123456+01:00`. Without an offset it is
 * UTC: the same command means the same on every machine. Digits below a microsecond are cut.
 * @returns microseconds since 1970
 * @throws CliError `USAGE`
 */
export function parseTimeUs(text: string, name: string): number {
  const match = pattern.exec(text);
  const field = (index: number): number => Number(match?.[index] ?? 0);
  const [year, month, day, hour, minute, second] = [field(1), field(2), field(3), field(4), field(5), field(6)];
  const utcMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(utcMs);
  // Date.UTC carries the 31st of February over into March.
  const isReal =
    match !== null &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!isReal) {
    throw usageError(`${name}: got ${JSON.stringify(text)}, want a time such as 2026-11-21 or 2026-11-21T03:18:10.5Z`);
  }
  const micros = Number((match[7] ?? "").padEnd(6, "0").slice(0, 6));
  return (utcMs - offsetMs(match[8])) * 1000 + micros;
}

/** `2026-11-21T03:18:10.123456Z`. */
export function formatTimeUs(timestampUs: number): string {
  const micros = timestampUs % 1_000_000;
  const second = timestampUs - micros;
  if (second !== lastSecondUs) {
    lastSecondUs = second;
    lastSecondText = new Date(second / 1000).toISOString().slice(0, 19);
  }
  return `${lastSecondText}.${String(micros).padStart(6, "0")}Z`;
}

// Records of one second stand together, and toISOString costs more than all the rest of a line of JSON.
let lastSecondUs = 0;
let lastSecondText = "1970-01-01T00:00:00";

function offsetMs(offset: string | undefined): number {
  if (offset === undefined || offset.toUpperCase() === "Z") return 0;
  const digits = offset.replace(":", "");
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (offset.startsWith("-") ? -minutes : minutes) * 60_000;
}
