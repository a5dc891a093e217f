import type { AofErrorCode } from "../errors.ts";

/** Why a body could not be decoded. The reader that knows file and offset turns it into an `AofError`. */
export class BodyProblem extends Error {
  override readonly name: string = "BodyProblem";
  readonly code: AofErrorCode;

  /** @param reason goes on from "record 7 …"; never holds a byte of the body */
  constructor(code: AofErrorCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}
