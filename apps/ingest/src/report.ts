/** What a run found, as data and as text. Pure: the same report always reads the same. */
import { type Check, checkTitles, type Finding, mergeChecks } from "./checks.ts";
import type { InputSummary } from "./dataset.ts";
import type { KillReport } from "./drill.ts";
import type { FinishReport } from "./finish.ts";
import { bytes, count, duration, perSecond, plural, table } from "./format.ts";
import type { IdReadsReport } from "./id-check.ts";
import type { TimeReadsReport } from "./time-check.ts";

/** The whole of a run; what `--json` prints and `run.json` keeps. */
export interface IngestReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly node: string;
  readonly platform: string;
  readonly dir: string;
  readonly input: InputSummary;
  readonly kills: readonly KillReport[];
  readonly finish: FinishReport;
  readonly byId: IdReadsReport;
  readonly byTime: TimeReadsReport;
  readonly checks: readonly (Check & { readonly title: string })[];
  readonly elapsedUs: number;
}

/** Colours, or none. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

export const plainPaint: Paint = { good: same, bad: same, dim: same, strong: same };

const labelWidth = 15;

/** One labelled paragraph: its further lines stand under the first. */
function section(label: string, lines: readonly string[], paint: Paint): string[] {
  return lines.map(
    (line, index) => (index === 0 ? paint.strong(label.padEnd(labelWidth)) : " ".repeat(labelWidth)) + line,
  );
}

export function renderStart(seed: number, dir: string, input: InputSummary, paint: Paint): string[] {
  const size = `${plural(input.records, "record")}, ${bytes(input.bytes)}: ${input.name}`;
  const remarks: string[] = [];
  if (input.badJsonLines > 0) {
    const are = input.badJsonLines === 1 ? "line is" : "lines are";
    remarks.push(
      `${count(input.badJsonLines)} ${are} not JSON (the first: line ${input.firstBadJsonLine}); records are bytes, so kept as they are`,
    );
  }
  if (input.blankLines > 0) remarks.push(`${plural(input.blankLines, "blank line")} left out`);
  return [
    ...section("Input", [size, ...remarks], paint),
    ...section("Log", [`${dir}/log`], paint),
    ...section("Seed", [`${seed} ${paint.dim(`(the same plan again: --seed ${seed})`)}`], paint),
    "",
  ];
}

export function renderKill(kill: KillReport, paint: Paint): string[] {
  const { recovery, acknowledgedRecords } = kill;
  const rate = perSecond(acknowledgedRecords, kill.writingUs);
  const appended = `${kill.strategy}: ${count(acknowledgedRecords)} acknowledged at ${count(rate)}/s, then SIGKILL`;
  const { tornTail } = recovery;
  const tail =
    tornTail === undefined ? "no torn tail" : `${bytes(tornTail.bytes)} of torn tail cut, kept as ${tornTail.keptAs}`;
  const extra = kill.recoveredId - kill.acknowledgedId;
  const beyond = extra > 0 ? `, ${count(extra)} of them not acknowledged yet` : "";
  const recovered =
    `recovered ${range(recovery.firstId, kill.recoveredId)}${beyond}: ${duration(kill.recoveryUs)}, ` +
    `${bytes(recovery.scannedBytes)} scanned, epoch ${recovery.epoch}, ${tail}`;
  return section(`Kill ${kill.round}`, [appended, recovered], paint);
}

export function renderFinish(report: FinishReport, paint: Paint): string[] {
  const records = report.lastId - report.firstId + 1;
  if (records === 0) return section("Finish", ["nothing was left to append"], paint);
  return section(
    "Finish",
    [
      `${plural(records, "record")} appended while two live tails read along, here and in another process`,
      `both had read the last record ${duration(report.behindUs)} after it was durable`,
    ],
    paint,
  );
}

export function renderReads(byId: IdReadsReport, byTime: TimeReadsReport, paint: Paint): string[] {
  const byIdLine = `${plural(byId.reads, "random record")}, P50 ${duration(byId.p50Us)}, P99 ${duration(byId.p99Us)} a read`;
  const byTimeLine = `${plural(byTime.ranges, "range")} of ${plural(byTime.records, "dated flight")} in a log of their own, ${count(byTime.returned)} returned, P50 ${duration(byTime.p50Us)} a range`;
  return [...section("By id", [byIdLine], paint), ...section("By time", [byTimeLine], paint)];
}

export function renderFigures(finish: FinishReport, paint: Paint): string[] {
  const records = finish.lastId - finish.firstId + 1;
  const latency = finish.metrics.flush.flushLatency.lifetime;
  const throughput =
    records === 0
      ? "–"
      : `${count(perSecond(records, finish.appendingUs))} records/s, ${(perSecond(finish.bytes, finish.appendingUs) / 1e6).toFixed(1)} MB/s durable, two live tails included`;
  const percentiles = [
    ["P50", latency.p50],
    ["P95", latency.p95],
    ["P99", latency.p99],
    ["P99.9", latency.p999],
  ] as const;
  const flushes = `${percentiles.map(([name, us]) => `${name} ${duration(us)}`).join(" · ")}  ${paint.dim(`(${plural(latency.count, "flush").replace("flushs", "flushes")})`)}`;
  return ["", ...section("Throughput", [throughput], paint), ...section("Flush latency", [flushes], paint)];
}

const segmentsShown = 12;

export function renderSegments(finish: FinishReport, paint: Paint): string[] {
  const { segments } = finish;
  if (segments.length === 0) return section("Segments", ["none: the log is empty"], paint);
  const row = (segment: (typeof segments)[number]): string[] => [
    count(segment.baseId),
    count(segment.lastId),
    count(segment.recordCount),
    bytes(segment.fileBytes ?? segment.dataBytes),
    segment.status,
    segment.path,
  ];
  const hidden = segments.length - segmentsShown;
  const shown =
    hidden > 1 ? [...segments.slice(0, segmentsShown / 2), ...segments.slice(-segmentsShown / 2)] : segments;
  const lines = table([["first id", "last id", "records", "bytes", "status", "file"], ...shown.map(row)], [0, 1, 2, 3]);
  if (hidden > 1) lines.splice(1 + segmentsShown / 2, 0, `… ${count(hidden)} more …`);
  return section(
    "Segments",
    lines.map((line, index) => (index === 0 ? paint.dim(line) : line)),
    paint,
  );
}

/** The list of checks, and of each that failed what it found. */
export function renderChecks(checks: readonly Check[], paint: Paint): string[] {
  const merged = mergeChecks(checks);
  const width = Math.max(...merged.map(({ name }) => checkTitles[name].length));
  const lines = [""];
  for (const { name, compared, unit, findings, findingCount } of merged) {
    const isGood = findingCount === 0;
    // What had nothing to compare is neither good nor bad.
    const mark = !isGood ? paint.bad("✗") : compared === 0 ? paint.dim("–") : paint.good("✓");
    const amount = isGood
      ? `${count(compared)} ${singular(compared, unit)}`
      : `${count(findingCount)} WRONG of ${count(compared)} ${unit}`;
    lines.push(`${mark} ${checkTitles[name].padEnd(width)}  ${isGood ? paint.dim(amount) : paint.bad(amount)}`);
    for (const finding of findings) lines.push(...renderFinding(finding).map((line) => paint.bad(`    ${line}`)));
    if (findingCount > findings.length && findings.length > 0) {
      lines.push(paint.bad(`    and ${count(findingCount - findings.length)} more`));
    }
  }
  return [...lines, ""];
}

export function renderEnd(report: IngestReport, paint: Paint): string[] {
  const failed = report.checks.filter((check) => check.findingCount > 0).length;
  const took = `in ${duration(report.elapsedUs)}`;
  if (failed === 0) {
    return [
      `${paint.good(`All ${report.checks.length} checks passed`)} ${took}. The log stays in ${report.dir}/log; look into it:`,
      `  npx varve stat ${report.dir}/log`,
    ];
  }
  return [
    paint.bad(`${failed} of ${report.checks.length} CHECKS FAILED ${took}. Everything is kept in ${report.dir}:`),
    `  log/ is the log, input.ndjson what was sent to it, run.json this report; the same plan again: --seed ${report.seed}`,
  ];
}

/** The checks as `--json` shows them. */
export function titledChecks(checks: readonly Check[]): (Check & { title: string })[] {
  return mergeChecks(checks).map((check) => ({ ...check, title: checkTitles[check.name] }));
}

function renderFinding(finding: Finding): string[] {
  const id = finding.id === undefined ? "" : `, record ${finding.id}`;
  return [`${finding.where}${id}:`, `  expected ${finding.expected}`, `  got      ${finding.got}`];
}

function range(firstId: number, lastId: number): string {
  return lastId < firstId ? "an empty log" : `records ${count(firstId)} to ${count(lastId)}`;
}

function singular(amount: number, unit: string): string {
  if (amount !== 1) return unit;
  return unit.endsWith("hashes")
    ? unit.slice(0, -2)
    : unit.endsWith("ies")
      ? `${unit.slice(0, -3)}y`
      : unit.replace(/s$/, "");
}

function same(text: string): string {
  return text;
}
