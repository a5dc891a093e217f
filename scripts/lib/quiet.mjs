// Runs a program and keeps what it prints, for the caller to show if it matters.
import { spawn } from "node:child_process";
import { exitCodeOf } from "./foreground.mjs";

/** @type {readonly NodeJS.Signals[]} */
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * A signal ends the program and then this process, as it would without us in between.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string, stdout: string }>} output holds both streams; code is 127 if it could not be started
 */
export async function runQuietly(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Buffer[]} */
  const chunks = [];
  /** @type {Buffer[]} */
  const stdout = [];
  child.stdout.on("data", (chunk) => {
    chunks.push(chunk);
    stdout.push(chunk);
  });
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  /** @type {NodeJS.Signals | undefined} */
  let interruptedBy;
  const listeners = forwarded.map((signal) => {
    const listener = () => {
      interruptedBy ??= signal;
      child.kill(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  const code = await new Promise((resolve) => {
    child.once("error", (error) => {
      chunks.push(Buffer.from(`varve: cannot start ${program}: ${error.message}\n`));
      resolve(127);
    });
    child.once("close", (status, signal) => resolve(status ?? exitCodeOf(signal)));
  });
  for (const { signal, listener } of listeners) process.off(signal, listener);
  if (interruptedBy !== undefined) process.exit(exitCodeOf(interruptedBy));
  return { code, output: Buffer.concat(chunks).toString(), stdout: Buffer.concat(stdout).toString() };
}
