/** Turns the harness's lines into ratios of the log to each peer. Above 1 the log is better, whatever the unit. */
import { median } from "./measure.ts";

/** A line of the harness's results; which fields are there depends on the cell. */
export interface PeerLine {
  readonly peer: string;
  readonly phase: string;
  readonly size: number;
  readonly strategy?: string;
  readonly concurrency?: number;
  /** Whether the probes around the cell found the machine quiet. */
  readonly quiet?: boolean;
  readonly ops_per_s?: number | null;
  readonly ops_per_s_drained?: number;
  readonly ready_ms?: number;
  readonly disk_ratio?: number;
  readonly error?: string;
}

export interface CellRatios {
  readonly what: string;
  readonly size: number;
  readonly unit: string;
  /** The log's own median. */
  readonly own: number;
  /** Log to peer; above 1 the log is better. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Rounds of the log that the probes found quiet, of all. */
  readonly quietRounds: string;
}

interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly lessIsBetter: boolean;
}

/** @param own the log's name in the lines */
export function cellRatios(lines: readonly PeerLine[], own = "varve"): CellRatios[] {
  const cells = new Map<
    string,
    { figure: Figure; size: number; byPeer: Map<string, { value: number; quiet: boolean }[]> }
  >();
  for (const line of lines) {
    for (const figure of figuresOf(line)) {
      const key = `${figure.what} ${line.size}`;
      const cell = cells.get(key) ?? { figure, size: line.size, byPeer: new Map() };
      cells.set(key, cell);
      cell.byPeer.set(line.peer, [
        ...(cell.byPeer.get(line.peer) ?? []),
        { value: figure.value, quiet: line.quiet === true },
      ]);
    }
  }
  return [...cells.values()].flatMap(({ figure, size, byPeer }) => {
    const ownRounds = byPeer.get(own);
    if (ownRounds === undefined) return [];
    const ownValue = best(ownRounds);
    const ratios: Record<string, number> = {};
    for (const [peer, rounds] of byPeer) {
      if (peer === own) continue;
      const ratio = ownValue / best(rounds);
      ratios[peer] = Number((figure.lessIsBetter ? 1 / ratio : ratio).toFixed(3));
    }
    const quiet = ownRounds.filter((round) => round.quiet).length;
    return [
      {
        what: figure.what,
        size,
        unit: figure.unit,
        own: ownValue,
        ratios,
        quietRounds: `${quiet}/${ownRounds.length}`,
      },
    ];
  });
}

/** The median of the quiet rounds where there are any, as the harness's own tables have it. */
function best(rounds: readonly { readonly value: number; readonly quiet: boolean }[]): number {
  const quiet = rounds.filter((round) => round.quiet);
  return median((quiet.length > 0 ? quiet : rounds).map((round) => round.value));
}

function figuresOf(line: PeerLine): Figure[] {
  if (line.error !== undefined) return [];
  const { strategy = "", concurrency = 1 } = line;
  if (line.phase === "append") {
    // What is only in memory does not count: where there is no durability point, the drain belongs to the work.
    const isAsync = strategy.startsWith("async");
    const value = isAsync ? line.ops_per_s_drained : line.ops_per_s;
    const what = strategy === "sync" ? `sync, ${concurrency} caller${concurrency === 1 ? "" : "s"}` : strategy;
    return value === undefined || value === null
      ? []
      : [{ what: isAsync ? `${what}, drained` : what, unit: "records/s", value, lessIsBetter: false }];
  }
  if (strategy.startsWith("reopen") && line.ready_ms !== undefined) {
    return [{ what: `${line.phase}: ${strategy}`, unit: "ms", value: line.ready_ms, lessIsBetter: true }];
  }
  if (strategy === "load" && line.disk_ratio !== undefined) {
    return [{ what: `${line.phase}: bytes on disk`, unit: "× payload", value: line.disk_ratio, lessIsBetter: true }];
  }
  if ((strategy === "scan" || strategy === "random-get") && typeof line.ops_per_s === "number") {
    return [{ what: `${line.phase}: ${strategy}`, unit: "records/s", value: line.ops_per_s, lessIsBetter: false }];
  }
  return [];
}
