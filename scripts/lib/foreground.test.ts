// A signal reaches the program exactly once, whichever way it comes, and its exit code comes back. Real
// processes in a process group of their own: group signals are what a terminal sends on Ctrl-C.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const foreground = fileURLToPath(new URL("foreground.mjs", import.meta.url));
const posix = process.platform !== "win32";

// Counts signals for a while after the first one, then reports.
const counter = `
  let count = 0;
  process.on("SIGINT", () => { if (++count === 1) setTimeout(() => { console.log("got " + count); process.exit(7); }, 1000); });
  setInterval(() => {}, 1000);
  console.log("ready");
`;

function launch(program: string, args: readonly string[]): ChildProcess {
  const launcher = `
    import { runForeground } from ${JSON.stringify(foreground)};
    process.exitCode = await runForeground(...JSON.parse(process.argv[1]));
  `;
  const parameters = JSON.stringify([program, args]);
  return spawn(process.execPath, ["--input-type=module", "--eval", launcher, parameters], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

async function endOf(launcher: ChildProcess, onReady: () => void = () => {}): Promise<Ended> {
  let output = "";
  const add = (chunk: Buffer): void => {
    const wasReady = output.includes("ready");
    output += chunk.toString();
    if (!wasReady && output.includes("ready")) onReady();
  };
  launcher.stdout?.on("data", add);
  launcher.stderr?.on("data", add);
  return new Promise((resolve) => launcher.once("close", (code) => resolve({ code, output })));
}

const pidOf = ({ pid }: ChildProcess): number => {
  if (pid === undefined) throw new Error("the launcher did not start");
  return pid;
};

test("the exit code is the program's", async () => {
  const { code } = await endOf(launch(process.execPath, ["--eval", "process.exit(5)"]));
  expect(code).toBe(5);
});

test("a program that cannot start is a sentence and exit code 127", async () => {
  const { code, output } = await endOf(launch("no-such-program-here", []));
  expect(code).toBe(127);
  expect(output).toMatch(/^varve: cannot start no-such-program-here: .+\n$/);
});

test.runIf(posix)("a program that a signal ends gives 128 + its number", async () => {
  const { code } = await endOf(launch(process.execPath, ["--eval", 'process.kill(process.pid, "SIGTERM")']));
  expect(code).toBe(143);
});

test.runIf(posix)("a signal to the launcher alone is forwarded, once", async () => {
  const launcher = launch(process.execPath, ["--eval", counter]);
  const ended = await endOf(launcher, () => process.kill(pidOf(launcher), "SIGINT"));
  expect(ended).toEqual({ code: 7, output: "ready\ngot 1\n" });
});

test.runIf(posix)("a signal to the whole group is not forwarded on top", async () => {
  const launcher = launch(process.execPath, ["--eval", counter]);
  const ended = await endOf(launcher, () => process.kill(-pidOf(launcher), "SIGINT"));
  expect(ended).toEqual({ code: 7, output: "ready\ngot 1\n" });
});

test.runIf(posix)("nor when a parent repeats it, as npm does", async () => {
  const launcher = launch(process.execPath, ["--eval", counter]);
  const ended = await endOf(launcher, () => {
    process.kill(-pidOf(launcher), "SIGINT");
    setTimeout(() => {
      try {
        process.kill(pidOf(launcher), "SIGINT");
      } catch (error) {
        // On a busy machine all may be over by now: then nothing was repeated, and nothing is lost by that.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }, 20);
  });
  expect(ended).toEqual({ code: 7, output: "ready\ngot 1\n" });
});
