import type { FailureCode } from "./exit-codes.ts";

/** What a failure's next step may name. */
export interface Situation {
  /** undefined before a verb was recognised. */
  readonly verb: string | undefined;
  /** The log's directory as it was typed. */
  readonly dir: string | undefined;
  /** With `RECORD_TRIMMED`. */
  readonly earliestId: number | undefined;
}

/** What to do about a failure, as a sentence with a command that can be pasted; undefined when nobody can say. */
export function nextStep(code: FailureCode, { verb, dir, earliestId }: Situation): string | undefined {
  const log = shellWord(dir ?? "DIR");
  switch (code) {
    case "USAGE":
    case "INVALID_ARGUMENT":
    case "INVALID_SETTINGS":
    case "INVALID_SEGMENT_SIZE":
      return `See ${verb === undefined ? "varve --help" : `varve ${verb} --help`}`;
    case "SEGMENT_FULL":
      return "Give a larger --segment-size (up to 4GiB), or split the record.";
    case "CUT_FRAME":
      return "Find out why the input is short, then send the rest from that byte on.";
    case "NOT_FOUND":
      return `Check the path. varve append ${log} begins a new log there.`;
    case "NOT_A_LOG":
      return "Name the directory that holds the log's MANIFEST.";
    case "RECORD_TRIMMED":
      return earliestId === undefined ? undefined : `Begin with record ${earliestId}, the oldest that is left.`;
    case "NO_SUCH_RECORD":
      return `varve stat ${log} shows which ids there are.`;
    case "FORMAT_TOO_NEW":
      return "Upgrade varve. Nothing was changed.";
    case "PERMISSION_DENIED":
      return `Run it as the owner of the files in ${log}.`;
    case "NO_SPACE":
      return "Free some space and run it again; what was acknowledged is safe.";
    case "LOCKED":
      return `Stop the other writer or wait for it. Reading works meanwhile: varve tail ${log} --follow`;
    case "FENCED":
      return `Stop this writer: a newer one has the log. varve tail ${log} shows what it kept.`;
    case "CORRUPTED_RECORD":
    case "CORRUPTED_SEGMENT":
    case "CORRUPTED_MANIFEST":
      return verb === "verify"
        ? `Restore it from a copy, or keep what can be read: varve repair ${log} --mode salvage`
        : `varve verify ${log} lists the damage.`;
    case "IO":
    case "FILESYSTEM":
      return "Look at the disk's health and the system log.";
    case "INTERNAL":
      return "Run it again with VARVE_DEBUG=1 and report what it prints.";
    default:
      return undefined;
  }
}

/** `text` as one word of a shell command. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
