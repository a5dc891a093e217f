import type { RunResult } from "./campaign.ts";

/** One line while the campaigns run. */
export function progressLine(result: RunResult): string {
  return `${verdict(result)}  ${result.campaign}  ${result.configuration}  (${result.seconds.toFixed(0)} s)\n`;
}

/** A table of all runs, totals by campaign, and for each failure what broke, where it is kept and how to repeat it. */
export function resultTable(results: readonly RunResult[]): string {
  const rows = results.map((result) => [
    result.campaign,
    result.configuration,
    shown(result.counts),
    result.seconds.toFixed(0),
    verdict(result),
  ]);
  const header = ["campaign", "configuration", "counts", "s", "result"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join("  ")
      .trimEnd();
  const failures = results.filter((result) => !result.passed).flatMap(failureBlock);
  return `${[line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line), "", ...totals(results), ...failures].join("\n")}\n`;
}

function totals(results: readonly RunResult[]): string[] {
  return [...new Set(results.map((result) => result.campaign))].map((campaign) => {
    const own = results.filter((result) => result.campaign === campaign);
    const sums: Record<string, number> = {};
    for (const { counts } of own) {
      for (const [name, count] of Object.entries(counts)) {
        sums[name] = name === "peakMiB" ? Math.max(sums[name] ?? 0, count) : (sums[name] ?? 0) + count;
      }
    }
    const seconds = own.reduce((sum, result) => sum + result.seconds, 0);
    const failed = own.filter((result) => !result.passed).length;
    return `${campaign}: ${own.length} runs, ${shown(sums)}, ${seconds.toFixed(0)} s, ${failed === 0 ? "all passed" : `${failed} FAILED`}`;
  });
}

function failureBlock(result: RunResult): string[] {
  return [
    "",
    `${result.campaign}, ${result.configuration}: FAILED`,
    ...result.failures.map((failure) => `  ${failure}`),
    ...(result.kept === undefined ? [] : [`  kept: ${result.kept}`]),
    ...(result.command === "" ? [] : [`  again: ${result.command}`]),
  ];
}

function shown(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

function verdict(result: RunResult): string {
  return result.passed ? "pass" : "FAIL";
}
