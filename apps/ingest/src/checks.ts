/**
 * What the drill must prove, as functions of what was observed. No I/O, so that a test can hand them lost, altered and
 * invented records and see that they speak up.
 */

/** Every check of a run, in the order of the report, and what it claims. */
export const checkTitles = {
  kept: "nothing acknowledged is missing",
  hash: "what was acknowledged has the hash that its writer computed",
  order: "ids are consecutive: no hole, nothing twice",
  content: "every recovered record is, byte for byte, the one that was sent",
  invented: "nothing appeared that was not sent",
  recovery: "each recovery says what happened, and its epoch is the next one",
  tail: "a live tail in this process read everything in order",
  follower: "a live tail in another process did too",
  complete: "the finished log closes cleanly and holds every record",
  byId: "reads by id return the record that was sent",
  byTime: "reads by time return what a filter over the input returns",
  verified: "a scan of every byte finds no problem",
} as const;

/** One of {@link checkTitles}. */
export type CheckName = keyof typeof checkTitles;

/** One thing that is not as it must be. */
export interface Finding {
  /** Where it was seen, for example `after kill 2`. */
  readonly where: string;
  readonly id?: number;
  readonly expected: string;
  readonly got: string;
}

/** What one look at one claim gave. */
export interface Check {
  readonly name: CheckName;
  /** How many things were compared, in `unit`s. */
  readonly compared: number;
  readonly unit: string;
  /** The first {@link findingsKept}; empty when the check passed. */
  readonly findings: readonly Finding[];
  /** All of them. */
  readonly findingCount: number;
}

/** Findings kept of one check: enough to see a pattern, few enough to print. */
export const findingsKept = 5;

/** A check of one comparison. */
export function check(name: CheckName, compared: number, unit: string, findings: readonly Finding[]): Check {
  return { name, compared, unit, findings: findings.slice(0, findingsKept), findingCount: findings.length };
}

/** One entry for each name, in the order of {@link checkTitles}: several looks at one claim become one. */
export function mergeChecks(checks: readonly Check[]): Check[] {
  return (Object.keys(checkTitles) as CheckName[]).flatMap((name) => {
    const same = checks.filter((each) => each.name === name);
    const [first] = same;
    if (first === undefined) return [];
    return {
      name,
      compared: same.reduce((sum, each) => sum + each.compared, 0),
      unit: first.unit,
      findings: same.flatMap((each) => each.findings).slice(0, findingsKept),
      findingCount: same.reduce((sum, each) => sum + each.findingCount, 0),
    };
  });
}

export function allPassed(checks: readonly Check[]): boolean {
  return checks.every((each) => each.findingCount === 0);
}

/** What a {@link SequenceComparison} concluded. Plain JSON: it crosses process borders. */
export interface SequenceOutcome {
  readonly firstId: number;
  /** The newest record that was read, `firstId - 1` when none was. */
  readonly lastId: number;
  readonly bytes: number;
  readonly order: readonly Finding[];
  readonly altered: readonly Finding[];
  readonly alteredCount: number;
  readonly invented: readonly Finding[];
  readonly inventedCount: number;
}

/** Compares records with what was sent, as they are read. Holds only the first findings, however many records come. */
export class SequenceComparison {
  readonly #where: string;
  readonly #firstId: number;
  #lastId: number;
  #bytes = 0;
  readonly #order: Finding[] = [];
  readonly #altered: Finding[] = [];
  #alteredCount = 0;
  readonly #invented: Finding[] = [];
  #inventedCount = 0;

  /** @param firstId the id that must come first */
  constructor(where: string, firstId: number) {
    this.#where = where;
    this.#firstId = firstId;
    this.#lastId = firstId - 1;
  }

  /** The id that must come next. */
  get nextId(): number {
    return this.#lastId + 1;
  }

  /**
   * Takes the record that came under `id`, and the one that was sent as `nextId`; undefined when so many were not sent.
   * Returns false when `id` is not `nextId`: what follows can no longer be matched with what was sent.
   */
  see(id: number, got: Uint8Array, sent: Uint8Array | undefined): boolean {
    if (id !== this.nextId) {
      this.#order.push({ where: this.#where, id, expected: `record ${this.nextId} next`, got: `record ${id}` });
      return false;
    }
    this.#lastId = id;
    this.#bytes += got.length;
    if (sent === undefined) {
      this.#inventedCount++;
      this.#note(this.#invented, id, "no record", got);
    } else if (Buffer.compare(got, sent) !== 0) {
      this.#alteredCount++;
      this.#note(this.#altered, id, excerpt(sent), got);
    }
    return true;
  }

  outcome(): SequenceOutcome {
    return {
      firstId: this.#firstId,
      lastId: this.#lastId,
      bytes: this.#bytes,
      order: this.#order,
      altered: this.#altered,
      alteredCount: this.#alteredCount,
      invented: this.#invented,
      inventedCount: this.#inventedCount,
    };
  }

  #note(findings: Finding[], id: number, expected: string, got: Uint8Array): void {
    if (findings.length < findingsKept) findings.push({ where: this.#where, id, expected, got: excerpt(got) });
  }
}

/** A killed writer and what was found afterwards. */
export interface KillFacts {
  readonly where: string;
  /** Everything up to here was acknowledged as durable; 0 for nothing. */
  readonly acknowledgedId: number;
  /** Hash of what this writer appended up to there; undefined when it acknowledged nothing. */
  readonly acknowledgedHash: string | undefined;
  /** The writer had said that it would append up to here, before it did. */
  readonly announcedId: number;
  readonly writerEpoch: number;
  readonly recovery: {
    readonly outcome: string;
    readonly epoch: number;
    readonly previousEpoch: number;
    readonly lastId: number;
    /** First id that was cut away; undefined when nothing was. */
    readonly firstCutId: number | undefined;
  };
  /** All records from 1 on, compared with what was sent. */
  readonly sequence: SequenceOutcome;
  /** Hash of the recovered records that {@link acknowledgedHash} is about; undefined when they are not all there. */
  readonly recoveredHash: string | undefined;
}

/** What a kill and the recovery after it prove. */
export function judgeKill(facts: KillFacts): Check[] {
  const { where, acknowledgedId, announcedId, sequence } = facts;
  const recovered = sequence.lastId;
  const kept: Finding[] = [];
  if (recovered < acknowledgedId) {
    kept.push({
      where,
      id: recovered + 1,
      expected: `records up to ${acknowledgedId}, which were acknowledged as durable`,
      got: `records up to ${recovered}`,
    });
  }
  const hash: Finding[] = [];
  if (facts.acknowledgedHash !== facts.recoveredHash) {
    hash.push({
      where,
      id: acknowledgedId,
      expected: `SHA-256 ${facts.acknowledgedHash ?? "of nothing"}`,
      got: facts.recoveredHash ?? "fewer records than it covers",
    });
  }
  const invented = [...sequence.invented];
  if (recovered > announcedId) {
    invented.push({
      where,
      id: announcedId + 1,
      expected: `no record beyond ${announcedId}, the last one that the writer meant to append`,
      got: `records up to ${recovered}`,
    });
  }
  return [
    check("kept", acknowledgedId, "acknowledged records", kept),
    check("hash", facts.acknowledgedHash === undefined ? 0 : 1, "hashes", hash),
    check("recovery", 1, "recoveries", recoveryFindings(facts)),
    ...judgeSequence(sequence),
    {
      ...check("invented", recovered, "records", invented),
      findingCount: sequence.inventedCount + invented.length - sequence.invented.length,
    },
  ];
}

function recoveryFindings({ where, writerEpoch, acknowledgedId, recovery, sequence }: KillFacts): Finding[] {
  const findings: Finding[] = [];
  const expectSame = (what: string, expected: unknown, got: unknown): void => {
    if (expected !== got) findings.push({ where, expected: `${what} ${String(expected)}`, got: String(got) });
  };
  expectSame("outcome", "recovered", recovery.outcome);
  expectSame("the killed writer's epoch", writerEpoch, recovery.previousEpoch);
  expectSame("epoch", writerEpoch + 1, recovery.epoch);
  expectSame("last id", sequence.lastId, recovery.lastId);
  if (recovery.firstCutId !== undefined && recovery.firstCutId <= acknowledgedId) {
    findings.push({
      where,
      id: recovery.firstCutId,
      expected: `nothing cut up to record ${acknowledgedId}`,
      got: `record ${recovery.firstCutId} and what followed was cut`,
    });
  }
  return findings;
}

function judgeSequence(sequence: SequenceOutcome): Check[] {
  const records = sequence.lastId - sequence.firstId + 1;
  return [
    check("order", records, "records", sequence.order),
    { ...check("content", records, "records", sequence.altered), findingCount: sequence.alteredCount },
  ];
}

/** What a live tail that should have read up to `lastId` proves. */
export function judgeTail(
  name: "tail" | "follower" | "complete",
  lastId: number,
  sequence: SequenceOutcome,
  where: string,
): Check {
  const findings = [...sequence.order, ...sequence.altered, ...sequence.invented];
  let findingCount = sequence.order.length + sequence.alteredCount + sequence.inventedCount;
  if (sequence.lastId !== lastId) {
    findings.push({
      where,
      id: sequence.lastId + 1,
      expected: `to read up to record ${lastId}`,
      got: `the end after ${sequence.lastId}`,
    });
    findingCount++;
  }
  return { ...check(name, sequence.lastId - sequence.firstId + 1, "records", findings), findingCount };
}

/** A record as a person can recognise it: its length and how it begins. */
export function excerpt(record: Uint8Array): string {
  const shown = Buffer.from(record.buffer, record.byteOffset, Math.min(record.length, 72)).toString("utf8");
  return `${record.length} bytes ${JSON.stringify(shown)}${record.length > 72 ? "…" : ""}`;
}
