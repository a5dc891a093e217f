/** Numbers as people read them. */

/** `1,234,567`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 record`, `2 records`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `512 B`, `1.5 KiB`, `20 MiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let scaled = value;
  for (; scaled >= 1024 && unit < units.length - 1; unit++) scaled /= 1024;
  return `${digits(scaled, unit)} ${units[unit]}`;
}

/** `850 µs`, `12.3 ms`, `4.56 s`; `–` for undefined. */
export function duration(us: number | undefined): string {
  if (us === undefined) return "–";
  if (us < 1000) return `${digits(us, us < 10 ? 1 : 0)} µs`;
  if (us < 1e6) return `${digits(us / 1000, 1)} ms`;
  return `${digits(us / 1e6, 1)} s`;
}

/** How much in a second; 0 when no time passed. */
export function perSecond(amount: number, us: number): number {
  return us > 0 ? (amount / us) * 1e6 : 0;
}

/** Columns, each as wide as its widest cell: those at `right` flush right, the others left. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

/** Three digits or so: decimals only where they say something. */
function digits(value: number, scale: number): string {
  return scale === 0 || value >= 100 ? count(value) : value.toFixed(value >= 10 ? 1 : 2);
}
