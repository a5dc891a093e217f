/**
 * `node dist/main.js <server> [options] [--json]`: starts one server, prints where it is on the first line, and stops at
 * SIGTERM or SIGINT. Whoever starts it may set faults later by `POST /-/faults`.
 */
import { gcsCommand } from "./gcs/gcs-command.ts";
import { MissingProgramError } from "./radosgw/ceph-processes.ts";
import { radosgwCommand } from "./radosgw/radosgw-command.ts";
import { s3Command } from "./s3/s3-command.ts";
import type { ServerCommand, StartedServer } from "./server-command.ts";

const commands: ReadonlyMap<string, ServerCommand> = new Map([
  ["s3", s3Command],
  ["gcs", gcsCommand],
  ["radosgw", radosgwCommand],
]);

process.exitCode = await main(process.argv.slice(2));

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const command = commands.get(name);
  if (command === undefined) {
    process.stderr.write(usage());
    return 2;
  }
  // Before the start, so that a signal in the middle of it is not lost.
  const starting = new AbortController();
  const stopped = untilSignal().then(() => starting.abort());
  try {
    const server = await command.start(
      args.filter((argument) => argument !== "--json"),
      starting.signal,
    );
    process.stdout.write(`${args.includes("--json") ? asJson(server) : server.url}\n`);
    await stopped;
    await server.close();
    return 0;
  } catch (error) {
    if (starting.signal.aborted) return 0;
    // Wrong use: an option, a port that is taken, a program that is missing.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return isWrongUse(error) ? 2 : 1;
  }
}

function asJson({ url, host, port }: StartedServer): string {
  return JSON.stringify({ url, host, port });
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
}

function isWrongUse(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof MissingProgramError;
}

function usage(): string {
  const lines = [...commands].flatMap(([name, command]) =>
    command.usage.map((line, index) => `  ${(index === 0 ? name : "").padEnd(9)}${line}\n`),
  );
  return `usage: node dist/main.js <server> [options] [--json]\n${lines.join("")}`;
}
