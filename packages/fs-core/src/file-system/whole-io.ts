/**
 * Reads and writes that finish. On a full disk Node's `write` and `writeSync` hand over a part, return a short count and
 * report no error; only the next call fails. So every write goes through a loop here, and so does every read.
 *
 * The calls are parameters for the sake of the tests, passed as plain functions: the loops allocate nothing.
 */

/** The shape of `fs.writeSync` and `fs.readSync` with an explicit position. */
export type CallSync = (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;

/** The shape of `fs.write` and `fs.read` with an explicit position. */
export type Call = (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  done: (error: Error | null, count: number) => void,
) => void;

// Node refuses lengths above 2^31 - 1, and Linux moves at most 2^31 - 4096 bytes a call.
const maxCallBytes = 2 ** 30;

/** Writes all of `data` at `position`, or throws. */
export function writeWholeSync(write: CallSync, fd: number, data: Uint8Array, position: number): void {
  const length = data.byteLength;
  let done = 0;
  while (done < length) {
    const count = write(fd, data, done, Math.min(length - done, maxCallBytes), position + done);
    if (count <= 0) throw noProgress(done, length);
    done += count;
  }
}

/** Fills `buffer` from `position`; returns the bytes read, less than its length only at the end of the file. */
export function readWholeSync(read: CallSync, fd: number, buffer: Uint8Array, position: number): number {
  const length = buffer.byteLength;
  let done = 0;
  while (done < length) {
    const count = read(fd, buffer, done, Math.min(length - done, maxCallBytes), position + done);
    if (count <= 0) break;
    done += count;
  }
  return done;
}

/** {@link writeWholeSync} in the thread pool. */
export function writeWhole(write: Call, fd: number, data: Uint8Array, position: number): Promise<void> {
  const length = data.byteLength;
  if (length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    let done = 0;
    const step = (): void =>
      write(fd, data, done, Math.min(length - done, maxCallBytes), position + done, (error, count) => {
        if (error !== null) return reject(error);
        if (count <= 0) return reject(noProgress(done, length));
        done += count;
        return done < length ? step() : resolve();
      });
    step();
  });
}

/** {@link readWholeSync} in the thread pool. */
export function readWhole(read: Call, fd: number, buffer: Uint8Array, position: number): Promise<number> {
  const length = buffer.byteLength;
  if (length === 0) return Promise.resolve(0);
  return new Promise((resolve, reject) => {
    let done = 0;
    const step = (): void =>
      read(fd, buffer, done, Math.min(length - done, maxCallBytes), position + done, (error, count) => {
        if (error !== null) return reject(error);
        done += count;
        return count > 0 && done < length ? step() : resolve(done);
      });
    step();
  });
}

function noProgress(done: number, length: number): Error {
  return new Error(`the operating system took ${done} of ${length} bytes, then none, and gave no reason`);
}
