// The writer and the verifier as programs: they must speak the fault tools' contract, also when they are killed, asked
// to end, refused or shown a damaged log. Method: run the built programs and judge their lines.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { programs, shellQuote } from "../src/campaign.ts";
import { Child } from "../src/child.ts";
import { brokenPromises, parsePromises } from "../src/promises.ts";

const { writer, verifier } = programs(resolve(import.meta.dirname, "../dist"));
const root = mkdtempSync(join(tmpdir(), "varve-contract-"));
let made = 0;
const freshDir = (): string => join(root, `log-${made++}`);
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function run(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = new Child(command);
  const { code } = await child.ended;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

const recovered = (stdout: string): string[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("R "))
    .map((line) => line.slice(2));

/** What the log in `dir` does not keep of what a killed or closed writer promised. */
async function lies(dir: string, output: string): Promise<string[]> {
  const { code, stdout, stderr } = await run(verifier(`--thorough ${dir}`));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const promises = parsePromises(output);
  return brokenPromises(promises, recovered(stdout), promises.visible);
}

const strategies = ["sync", "async", "batched:5", "periodic:5", "batched-or-periodic:10:5"];

describe.concurrent("a writer that closes", () => {
  it.each(strategies.flatMap((strategy) => [`--strategy ${strategy}`, `--strategy ${strategy} --durable 4 --batch 5`]))(
    "%s: tries, acknowledges and finds every record",
    async (options) => {
      const dir = freshDir();
      const { code, stdout, stderr } = await run(writer(`${dir} --n 60 ${options}`));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { tried, durable } = parsePromises(stdout);
      expect(tried).toHaveLength(60);
      expect([...durable].toSorted()).toEqual([...tried].toSorted());
      expect(await lies(dir, stdout)).toEqual([]);
    },
  );

  it("prints V for what is written and not durable, before its A", async () => {
    const { stdout } = await run(writer(`${freshDir()} --n 60 --strategy batched:30 --pace 2`));
    const lines = stdout.split("\n");
    const visible = lines.filter((line) => line.startsWith("V "));
    expect(visible.length).toBeGreaterThan(0);
    for (const line of visible) expect(lines.indexOf(`A ${line.slice(2)}`)).toBeGreaterThan(lines.indexOf(line));
  });
});

describe.concurrent("a writer that ends early", () => {
  it.each(["--pace 1", "--pace 1 --strategy async --batch 4", "--pace 1 --durable 8 --strategy batched:9"])(
    "by SIGKILL with %s: what it promised is there",
    async (options) => {
      const dir = freshDir();
      let output = "";
      for (let round = 0; round < 3; round++) {
        const child = new Child(writer(`${dir} --forever --seed ${round} ${options}`));
        await child.until((stdout) => stdout.split("\n").length > 60 + round * 17);
        child.signal("SIGKILL");
        expect((await child.ended).signal).toBe("SIGKILL");
        // What this round tried and did not find is gone for good before the next one begins.
        output += child.stdout;
        const { stdout } = await run(verifier(dir));
        const have = new Set(recovered(stdout));
        expect(await lies(dir, output)).toEqual([]);
        output = parsePromises(output)
          .tried.filter((id) => have.has(id))
          .map((id) => `T ${id}\nA ${id}\n`)
          .join("");
      }
    },
  );

  it("by --die: what it wrote is there", async () => {
    const dir = freshDir();
    const { stdout } = await run(writer(`${dir} --n 30 --strategy async --die`));
    expect(parsePromises(stdout).tried).toHaveLength(30);
    expect(await lies(dir, stdout)).toEqual([]);
  });

  it.each(["sync", "async"])(
    "by SIGTERM under %s: it closes, acknowledges everything and ends with 0",
    async (strategy) => {
      const dir = freshDir();
      const child = new Child(writer(`${dir} --forever --pace 1 --strategy ${strategy}`));
      await child.until((stdout) => stdout.split("\n").length > 40);
      child.signal("SIGTERM");
      expect(await child.ended).toEqual({ code: 0, signal: null });
      const { tried, durable } = parsePromises(child.stdout);
      expect(durable.size).toBe(tried.length);
      expect(await lies(dir, child.stdout)).toEqual([]);
    },
  );
});

describe.concurrent("a writer that is refused", () => {
  it("by another writer: it gets nothing through, and says LOCKED", async () => {
    const dir = freshDir();
    const first = new Child(writer(`${dir} --forever --pace 1`));
    await first.until((stdout) => stdout.includes("A "));
    const rival = await run(writer(`${dir} --n 5`));
    first.signal("SIGTERM");
    await first.ended;
    expect(rival.stdout).toBe("");
    expect(rival.stderr).toMatch(/^LOCKED: .+\n$/);
    expect(rival.code).toBe(1);
  });

  it("by a directory that holds something else: it says what, in one line, and ends with 1", async () => {
    const dir = freshDir();
    await run(writer(`${dir} --n 5`));
    const segment = readdirSync(dir).find((name) => name.startsWith("segment_")) as string;
    writeFileSync(join(dir, "MANIFEST"), readFileSync(join(dir, segment)));
    const { code, stdout, stderr } = await run(writer(`${dir} --n 5`));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^[A-Z_]+: .+\n$/);
  });

  it.each([
    "",
    "a b",
    "DIR --n many",
    "DIR --strategy never",
    "DIR --index tree",
    "DIR --flush-on moon",
    "DIR --nonsense",
  ])("by its own arguments %j: it prints the usage and ends with 2", async (args) => {
    const { code, stdout, stderr } = await run(writer(args.replace("DIR", freshDir())));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("usage: ");
  });
});

describe.concurrent("the verifier", () => {
  it("answers the same in both forms, again and again", async () => {
    const dir = freshDir();
    await run(writer(`${dir} --n 40 --die`));
    const single = await run(verifier(dir));
    const asked = join(root, "asked");
    writeFileSync(asked, `${JSON.stringify({ dir })}\n`.repeat(3));
    const batch = await run(`${verifier("--batch")} < ${shellQuote(asked)}`);
    const answers = batch.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { ids: string[]; error: unknown });
    expect(answers).toHaveLength(3);
    for (const answer of answers) expect(answer).toMatchObject({ ids: recovered(single.stdout), error: null });
    expect(answers[0]?.ids).toHaveLength(40);
  });

  it("refuses a damaged log with its code and exit code 3, in both forms", async () => {
    const dir = freshDir();
    await run(writer(`${dir} --n 40`));
    const segment = join(dir, readdirSync(dir).find((name) => name.startsWith("segment_")) as string);
    const bytes = readFileSync(segment);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(segment, bytes);
    const { code, stdout } = await run(verifier(dir));
    expect(code).toBe(3);
    expect(stdout).toMatch(/^E CORRUPTED_[A-Z]+ \S.*\n$/m);
    const asked = join(root, "asked-damaged");
    writeFileSync(asked, `${JSON.stringify({ dir })}\n`);
    const batch = await run(`${verifier("--batch")} < ${shellQuote(asked)}`);
    expect(JSON.parse(batch.stdout)).toMatchObject({ ids: [], error: { code: expect.stringMatching(/^CORRUPTED_/) } });
  });

  it("tells of a torn tail", async () => {
    const dir = freshDir();
    await run(writer(`${dir} --n 10 --die`));
    const segment = join(
      dir,
      readdirSync(dir)
        .filter((name) => name.endsWith(".log"))
        .toSorted()
        .at(-1) as string,
    );
    const bytes = readFileSync(segment);
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    writeFileSync(segment, Buffer.concat([bytes.subarray(0, end), Buffer.alloc(200, 7)]));
    const { code, stdout } = await run(verifier(dir));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^C cut \d+ bytes/m);
    expect(recovered(stdout)).toHaveLength(10);
  });

  it("keeps records of an earlier time from the oracle, and checks them", async () => {
    const dir = freshDir();
    const before = join(root, "before");
    writeFileSync(before, (await run(writer(`${dir} --n 20`))).stdout);
    const later = await run(writer(`${dir} --n 5`));
    const { stdout } = await run(verifier(`--before ${shellQuote(before)} ${dir}`));
    expect(recovered(stdout)).toEqual([...parsePromises(later.stdout).tried]);
    const empty = await run(verifier(`--before ${shellQuote(before)} ${freshDir()}`));
    expect(recovered(empty.stdout)).toHaveLength(20);
    expect(recovered(empty.stdout).every((id) => id.startsWith("before:"))).toBe(true);
  });

  it("stays small over many logs", async () => {
    const dir = freshDir();
    await run(writer(`${dir} --n 20`));
    const asked = join(root, "asked-often");
    writeFileSync(asked, `${JSON.stringify({ dir })}\n`.repeat(150));
    const child = new Child(`${verifier("--batch")} < ${shellQuote(asked)}`);
    let peakKiB = 0;
    await child.until((stdout) => {
      const status = `/proc/${child.pid}/status`;
      if (existsSync(status)) peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1] ?? peakKiB);
      return stdout.split("\n").length > 150;
    });
    expect(await child.ended).toEqual({ code: 0, signal: null });
    // The tools call 400 MiB a failure.
    expect(peakKiB / 1024).toBeLessThan(300);
  });

  it.each(["", "a b", "--batch a", "a --index tree", "a --recovery hope"])("prints its usage for %j", async (args) => {
    const { code, stderr } = await run(verifier(args));
    expect(code).toBe(2);
    expect(stderr).toContain("usage: ");
  });
});
