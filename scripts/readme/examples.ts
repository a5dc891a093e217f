// Finds the examples that a README promises to run: fenced blocks that begin with ```ts run.

export interface Example {
  /** Line of the fence, from 1. */
  readonly line: number;
  readonly code: string;
}

export function extractExamples(markdown: string): Example[] {
  const examples: Example[] = [];
  let fence: { line: number; marker: string; info: string; code: string[] } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const match = /^(`{3,}|~{3,})\s*(.*?)\s*$/.exec(text);
    if (fence === undefined) {
      if (match !== null) fence = { line: index + 1, marker: match[1] ?? "", info: match[2] ?? "", code: [] };
    } else if (match !== null && match[2] === "" && match[1]?.startsWith(fence.marker) === true) {
      if (fence.info === "ts run") examples.push({ line: fence.line, code: `${fence.code.join("\n")}\n` });
      fence = undefined;
    } else fence.code.push(text);
  }
  if (fence !== undefined) throw new Error(`the fence in line ${fence.line} never closes`);
  return examples;
}
