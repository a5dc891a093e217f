/** A server that can be started by hand. */
export interface ServerCommand {
  /** What follows the command's name, one line each. */
  readonly usage: readonly string[];
  /**
   * @param signal stops a start that takes long; then it rejects
   * @throws TypeError or RangeError for arguments that make no sense
   */
  start(args: readonly string[], signal: AbortSignal): Promise<StartedServer>;
}

/** A server as the command line needs it. */
export interface StartedServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}
