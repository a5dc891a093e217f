import type { FileWatch } from "./file-system.ts";
import type { MemoryDirectory, MemoryFile } from "./memory-node.ts";

/** Who wants to hear of changes in which directory. Listeners run in a microtask, many changes at once. */
export class MemoryWatchers {
  readonly #watches: Set<MemoryWatch> = new Set();

  add(directory: MemoryDirectory, onChange: () => void): FileWatch {
    const watch = new MemoryWatch(directory, onChange);
    this.#watches.add(watch);
    return {
      close: () => {
        watch.open = false;
        this.#watches.delete(watch);
      },
    };
  }

  /** A name in `directory` came or went. */
  changed(directory: MemoryDirectory): void {
    for (const watch of this.#watches) {
      if (watch.directory === directory) watch.schedule();
    }
  }

  /** The bytes of `file` changed, under whichever names. */
  fileChanged(file: MemoryFile): void {
    for (const watch of this.#watches) {
      if (!watch.scheduled && holds(watch.directory, file)) watch.schedule();
    }
  }
}

class MemoryWatch {
  readonly directory: MemoryDirectory;
  open = true;
  scheduled = false;
  readonly #onChange: () => void;

  constructor(directory: MemoryDirectory, onChange: () => void) {
    this.directory = directory;
    this.#onChange = onChange;
  }

  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      if (this.open) this.#onChange();
    });
  }
}

function holds(directory: MemoryDirectory, file: MemoryFile): boolean {
  for (const node of directory.entries.values()) {
    if (node === file) return true;
  }
  return false;
}
