/**
 * One owner per directory, held by the kernel: it is free the moment its holder dies, however it dies, and there is no
 * moment at which a check and a claim are two steps. A file with a process id has such a moment: with one, 25 of 400
 * races ended with two owners.
 *
 * - Linux: an abstract unix socket (it has no file) named after the directory's device and inode. Such names belong to
 *   a network namespace: containers that share a volume but not the network do not see each other's locks.
 * - macOS and the BSDs: `open` with O_EXLOCK on a lock file inside the directory.
 * - Windows: the first instance of a named pipe.
 */
import { close, constants, fstat, open, stat } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { StorageError } from "../errors.ts";
import type { FileLock } from "./file-system.ts";
import { errnoOf, toStorageError } from "./map-node-error.ts";
import { quotePath } from "./path-rules.ts";

/** What the macOS lock leaves in the directory; empty, and never deleted. */
export const lockFileName = "varve.lock";

const statPath = promisify(stat);
const openFd = promisify(open);
const statFd = promisify(fstat);
const closeFd = promisify(close);

/** Takes the lock of the directory `target`; `path` is the name for errors. */
export async function lockDirectory(
  target: string,
  path: string,
  platform: string = process.platform,
): Promise<FileLock> {
  try {
    if (platform === "linux") return await lockBySocket(`\0${await lockName(target)}`);
    if (platform === "win32") return await lockBySocket(`\\\\.\\pipe\\${await lockName(target)}`);
    if (hasExlock(platform)) return await lockByOpen(join(target, lockFileName));
  } catch (cause) {
    if (isTaken(cause)) {
      throw new StorageError("LOCKED", `lock ${quotePath(path)}: another live owner holds it`, {
        operation: "lock",
        path,
        cause,
      });
    }
    throw toStorageError(cause, "lock", path);
  }
  throw new StorageError("UNSUPPORTED", `lock ${quotePath(path)}: no kernel-held lock on ${platform}`, {
    operation: "lock",
    path,
  });
}

async function lockName(target: string): Promise<string> {
  const { dev, ino } = await statPath(target, { bigint: true });
  return `varve-lock-${dev}-${ino}`;
}

/** The error of an owner who came too late: the socket's, the pipe's, the open's. */
function isTaken(cause: unknown): boolean {
  const errno = errnoOf(cause);
  return errno === "EADDRINUSE" || errno === "EAGAIN" || errno === "EWOULDBLOCK";
}

async function lockBySocket(name: string): Promise<FileLock> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // exclusive: a cluster worker would otherwise share its primary's socket, and all workers would own the lock.
    server.listen({ path: name, exclusive: true }, () => {
      server.off("error", reject);
      // A failed accept (a stranger connected and no descriptor was left) does not loosen the lock.
      server.on("error", () => {});
      resolve();
    });
  });
  server.unref();
  return heldLock(() => closeServer(server));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}

// <sys/fcntl.h> of macOS and the BSDs; Node passes unknown flags through. With O_NONBLOCK a held lock is EAGAIN.
const O_EXLOCK = 0x20;

function hasExlock(platform: string): boolean {
  return platform === "darwin" || platform === "freebsd" || platform === "openbsd" || platform === "netbsd";
}

async function lockByOpen(file: string): Promise<FileLock> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_EXLOCK;
  for (;;) {
    const fd = await openFd(file, flags, 0o600);
    // Somebody may have deleted the file while it was locked; then a newer one bears the name, and that one counts.
    const [ours, named] = await Promise.all([statFd(fd), statPath(file).catch(() => undefined)]);
    if (named !== undefined && named.ino === ours.ino) return heldLock(() => closeFd(fd));
    await closeFd(fd);
  }
}

function heldLock(free: () => Promise<void>): FileLock {
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= free();
    return released;
  };
  return { release, [Symbol.asyncDispose]: release };
}
