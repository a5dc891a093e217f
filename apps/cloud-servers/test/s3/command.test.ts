// Goal: the command starts a server that other processes can use and set faults on, and stops when told.
// Method: the built command as a child process, spoken to over HTTP and by signals.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { send } from "./raw-client.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Started {
  readonly child: ChildProcess;
  readonly line: string;
}

async function start(...args: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [first] = await once(child.stdout, "data");
  return { child, line: String(first).split("\n")[0] ?? "" };
}

async function run(...args: readonly string[]): Promise<{ code: unknown; errors: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  let errors = "";
  child.stderr.on("data", (piece) => {
    errors += String(piece);
  });
  const [code] = await once(child, "close");
  return { code, errors };
}

test.each(["SIGTERM", "SIGINT"] as const)("serves until %s", async (signal) => {
  const { child, line } = await start("s3", "--bucket", "bucket-a", "--bucket", "bucket-b");
  const { hostname: host, port } = new URL(line);
  const server = { host, port: Number(port) };
  expect((await send(server, { method: "HEAD", path: "/bucket-b", signed: false })).status).toBe(200);
  expect((await send(server, { method: "HEAD", path: "/bucket-c", signed: false })).status).toBe(404);
  const exit = once(child, "exit");
  child.kill(signal);
  expect(await exit).toEqual([0, null]);
});

test("stops while a request hangs, and obeys the faults it was started with", async () => {
  const faults = JSON.stringify([{ method: "HEAD", nth: 1, action: { kind: "hang", when: "before" } }]);
  const { child, line } = await start("s3", "--bucket", "bucket-a", "--faults", faults, "--json");
  const server = JSON.parse(line);
  const hanging = send(server, { method: "HEAD", path: "/bucket-a", signed: false }).catch(
    (error: Error) => error.message,
  );
  // The second one is answered, so the first one has arrived: the rule is for the first only.
  while (
    (await send(server, { method: "GET", path: "/-/faults", signed: false })).text.includes('"injected":0,"rules"')
  ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const added = await send(server, {
    method: "POST",
    path: "/-/faults",
    signed: false,
    body: '{"action":{"kind":"status","status":503,"when":"before"}}',
  });
  expect([added.status, added.text]).toEqual([200, '{"rules":2}\n']);
  expect((await send(server, { method: "GET", path: "/bucket-a/x", signed: false })).code).toBe("SlowDown");
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  expect(await hanging).toBe("socket hang up");
});

test("checks signatures when it has credentials", async () => {
  const { line } = await start(
    "s3",
    "--bucket",
    "bucket-a",
    "--access-key-id",
    "a",
    "--secret-access-key",
    "b",
    "--json",
  );
  expect((await send(JSON.parse(line), { method: "GET", path: "/bucket-a/x", signed: false })).code).toBe(
    "AccessDenied",
  );
});

test.each([
  [[], "usage: "],
  [["tape"], "usage: "],
  [["s3"], "buckets: want at least one"],
  [["s3", "--bucket", "a"], "no name for a bucket"],
  [["s3", "--bucket", "abc", "--port", "x"], "port: got NaN"],
  [["s3", "--bucket", "abc", "--quirk", "odd"], "quirks: there is no odd"],
  [["s3", "--bucket", "abc", "--faults", "{}"], "rule.action"],
  [["s3", "--bucket", "abc", "--access-key-id", "a"], "go together"],
  [["gcs", "--bucket", "abc", "--faults", "{}"], "rule.action"],
  [["s3", "--bukcet", "abc"], "--bukcet"],
  [["radosgw", "--bucket", "abc"], "--secret-access-key are needed"],
])("%j is wrong use", async (args, message) => {
  const { code, errors } = await run(...args);
  expect(errors).toContain(message);
  expect(code).toBe(2);
});
