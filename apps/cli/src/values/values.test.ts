/**
 * Goal: what people type is understood exactly, or refused with a sentence that names the option.
 * Method: tables of accepted and refused forms, and round trips against the formatters.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliError } from "../cli-error.ts";
import { formatDurationMs, parseDurationMs } from "./duration.ts";
import { parseCount, parseFrom, parseId, parseUntil } from "./position.ts";
import { formatCount, formatSize, parseSize } from "./size.ts";
import { formatTimeUs, parseTimeUs } from "./time.ts";

function refusal(call: () => unknown): CliError {
  try {
    call();
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["4096", 4096],
    ["64MiB", 64 * 2 ** 20],
    ["64m", 64 * 2 ** 20],
    ["64 MiB", 64 * 2 ** 20],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["1K", 1024],
    ["1KB", 1000],
    ["10MB", 10_000_000],
    ["1gb", 1e9],
    ["12B", 12],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text, "--size")).toBe(bytes);
  });

  test.each(["", "x", "-1", "1.5", "1e3", "64 MiBs", "0x10", "1TiB", "1.3KiB", " 1", "99999999999999999"])(
    "%j is refused",
    (text) => {
      expect(refusal(() => parseSize(text, "--size"))).toMatchObject({
        code: "USAGE",
        message: expect.stringContaining("--size"),
      });
    },
  );

  test.each([
    [0, "0 B"],
    [1023, "1,023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1 MiB"],
    [64 * 2 ** 20, "64 MiB"],
    [1000 * 2 ** 30, "1,000 GiB"],
    [2 ** 53, "8 PiB"],
  ])("%d bytes are shown as %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test("counts are grouped by thousands, fractions are not", () => {
    expect([0, 999, 1000, 1234567, 52.8, 1234.5678].map(formatCount)).toEqual([
      "0",
      "999",
      "1,000",
      "1,234,567",
      "52.8",
      "1,234.5678",
    ]);
  });
});

describe("lengths of time", () => {
  test.each([
    ["500ms", 500],
    ["90s", 90_000],
    ["15m", 900_000],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["1w", 604_800_000],
  ])("%s is %d ms", (text, milliseconds) => {
    expect(parseDurationMs(text, "--age")).toBe(milliseconds);
  });

  test.each(["", "5", "5x", "m", "-5m", "5M", "1h30m", "1e3s", "9999999999999s"])("%j is refused", (text) => {
    expect(refusal(() => parseDurationMs(text, "--age")).code).toBe("USAGE");
  });

  test("they are shown with the units that matter", () => {
    const shown = [0, 849.6, 12_345, 245_000, 7_380_000].map(formatDurationMs);
    expect(shown).toEqual(["0 ms", "850 ms", "12.3 s", "4 min 5 s", "2 h 3 min"]);
  });
});

describe("times", () => {
  const second = Date.UTC(2026, 10, 21, 3, 18, 10) * 1000;

  test.each([
    ["2026-11-21T03:18:10Z", second],
    ["2026-11-21T03:18:10", second],
    ["2026-11-21 03:18:10z", second],
    ["2026-11-21T04:18:10+01:00", second],
    ["2026-11-20T22:18:10-0500", second],
    ["2026-11-21T03:18:10.5Z", second + 500_000],
    ["2026-11-21T03:18:10.123456Z", second + 123_456],
    ["2026-11-21T03:18:10.123456789Z", second + 123_456],
    ["2026-11-21T03:18", second - 10_000_000],
    ["2026-11-21", Date.UTC(2026, 10, 21) * 1000],
    ["2024-02-29", Date.UTC(2024, 1, 29) * 1000],
  ])("%s is understood", (text, timestampUs) => {
    expect(parseTimeUs(text, "--from")).toBe(timestampUs);
  });

  test.each([
    "",
    "2026",
    "2026-13-01",
    "2026-02-29",
    "2026-11-21T24:00",
    "2026-11-21T03:60",
    "2026-11-21Z",
    "21.11.2026",
    "yesterday",
  ])("%j is refused", (text) => {
    expect(refusal(() => parseTimeUs(text, "--from")).code).toBe("USAGE");
  });

  test("what is shown is read back to the same microsecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0) * 1000 }), (timestampUs) => {
        expect(parseTimeUs(formatTimeUs(timestampUs), "--from")).toBe(timestampUs);
      }),
    );
  });
});

describe("places and ids", () => {
  const nowUs = 1_000_000_000_000_000;

  test.each([
    ["earliest", "earliest"],
    ["tail", "tail"],
    ["1", 1],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["0042", 42],
    ["15m", { timestampUs: nowUs - 900_000_000 }],
    ["9999999w", { timestampUs: 0 }],
    ["1970-01-01T00:00:01Z", { timestampUs: 1_000_000 }],
  ])("--from %s", (text, from) => {
    expect(parseFrom(text, nowUs)).toEqual(from);
  });

  test.each(["0", "-1", "1.0", "9007199254740992", "99999999999999999999", "first", "5x", "2026-99-01", ""])(
    "--from %j is refused",
    (text) => {
      expect(refusal(() => parseFrom(text, nowUs)).message).toContain("--from");
    },
  );

  test("--to knows no ends, for they would do nothing", () => {
    expect(parseUntil("7", nowUs)).toBe(7);
    expect(refusal(() => parseUntil("tail", nowUs)).message).toContain("--to");
    expect(refusal(() => parseUntil("earliest", nowUs)).message).toContain("--to");
  });

  test("ids begin with 1, counts with 0", () => {
    expect(refusal(() => parseId("0", "<id>")).message).toContain("<id>");
    expect(parseCount("0", "--limit")).toBe(0);
    expect(refusal(() => parseCount("1e3", "--limit")).message).toContain("--limit");
    expect(refusal(() => parseCount("-1", "--limit")).code).toBe("USAGE");
  });
});
