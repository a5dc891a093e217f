/**
 * A process that ends by itself or by `process.exit` loses nothing that was appended: on `exit`, every open log commits
 * what is pending, blocking. A signal that kills the process does not run this; see the README on what each strategy
 * leaves open.
 */
const openLogs = new Set<() => void>();

function commitAll(): void {
  for (const commit of openLogs) {
    try {
      commit();
    } catch {
      // The process is ending and this log failed; the others still get their turn.
    }
  }
}

/** @returns the way to take it back */
export function commitOnExit(commit: () => void): () => void {
  if (openLogs.size === 0) process.on("exit", commitAll);
  openLogs.add(commit);
  return () => {
    openLogs.delete(commit);
    if (openLogs.size === 0) process.off("exit", commitAll);
  };
}
