// A ratio above 1 must mean that the log is better, for rates and for times, and noisy rounds must not decide it.
import { describe, expect, it } from "vitest";
import { cellRatios, type PeerLine } from "./peer-ratios.ts";

const append = (peer: string, ops: number, quiet = true): PeerLine => ({
  peer,
  phase: "append",
  strategy: "sync",
  size: 64,
  concurrency: 1,
  ops_per_s: ops,
  quiet,
});

describe("cellRatios", () => {
  it("divides medians of the quiet rounds", () => {
    const lines = [append("varve", 300), append("varve", 10, false), append("lmdb", 100), append("lmdb", 9000, false)];
    expect(cellRatios(lines)).toEqual([
      { what: "sync, 1 caller", size: 64, unit: "records/s", own: 300, ratios: { lmdb: 3 }, quietRounds: "1/2" },
    ]);
  });

  it("takes all rounds where none was quiet", () => {
    const lines = [
      append("varve", 10, false),
      append("varve", 30, false),
      append("varve", 20, false),
      append("lmdb", 40),
    ];
    expect(cellRatios(lines)[0]).toMatchObject({ own: 20, ratios: { lmdb: 0.5 }, quietRounds: "0/3" });
  });

  it("turns times and sizes round", () => {
    const reopen = (peer: string, ms: number): PeerLine => ({
      peer,
      phase: "read",
      strategy: "reopen-after-kill",
      size: 64,
      ready_ms: ms,
    });
    expect(cellRatios([reopen("varve", 10), reopen("lmdb", 5)])[0]).toMatchObject({
      unit: "ms",
      own: 10,
      ratios: { lmdb: 0.5 },
    });
  });

  it("counts the drain where there is no durability point", () => {
    const line: PeerLine = { ...append("varve", 900), strategy: "async", ops_per_s_drained: 500 };
    expect(cellRatios([line, { ...line, peer: "lmdb", ops_per_s_drained: 250 }])[0]).toMatchObject({
      what: "async, drained",
      own: 500,
      ratios: { lmdb: 2 },
    });
  });

  it("leaves out cells that failed, and cells that only a peer has", () => {
    expect(cellRatios([append("lmdb", 5)])).toEqual([]);
    expect(cellRatios([{ ...append("varve", 5), error: "no" }, append("lmdb", 5)])).toEqual([]);
  });
});
