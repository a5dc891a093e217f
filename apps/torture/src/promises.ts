/**
 * What a writer's lines promise, and whether a recovered log keeps it: the rules of the fault tools in a few lines,
 * for the work that needs no tool.
 */
export interface Promises {
  /** In log order. */
  readonly tried: readonly string[];
  /** Acknowledged as durable. */
  readonly durable: ReadonlySet<string>;
  /** Written or durable: owed after the death of a process. */
  readonly visible: ReadonlySet<string>;
  /** Refused: may be missing between others. */
  readonly refused: ReadonlySet<string>;
}

export function parsePromises(output: string): Promises {
  const byKind = { T: new Set<string>(), A: new Set<string>(), V: new Set<string>(), F: new Set<string>() };
  // A last line that was cut off by a kill promised nothing.
  for (const line of output.slice(0, output.lastIndexOf("\n") + 1).split("\n")) {
    const [kind, id] = [line.slice(0, 1), line.slice(2)];
    if (kind === "T" || kind === "A" || kind === "V" || kind === "F") byKind[kind].add(id);
  }
  return { tried: [...byKind.T], durable: byKind.A, visible: new Set([...byKind.V, ...byKind.A]), refused: byKind.F };
}

/**
 * What a recovered log does not keep, one sentence each.
 * @param ids what the log holds, in order
 * @param owed what it has to hold: `promises.durable` after power loss, `promises.visible` after a kill
 */
export function brokenPromises(promises: Promises, ids: readonly string[], owed: ReadonlySet<string>): string[] {
  const broken: string[] = [];
  const position = new Map(promises.tried.map((id, k) => [id, k]));
  const have = new Set(ids);
  if (have.size !== ids.length) broken.push(`${ids.length - have.size} ids twice`);
  for (const id of ids) if (!position.has(id)) broken.push(`${id} was never appended`);
  for (const id of owed) if (!have.has(id)) broken.push(`${id} was acknowledged and is missing`);
  let last = -1;
  for (const id of ids) {
    const at = position.get(id);
    if (at === undefined) continue;
    if (at < last) broken.push(`${id} is out of order`);
    for (let k = last + 1; k < at; k++) {
      const missing = promises.tried[k] as string;
      if (!promises.refused.has(missing)) broken.push(`${missing} is missing in front of ${id}`);
    }
    last = Math.max(last, at);
  }
  return broken;
}
