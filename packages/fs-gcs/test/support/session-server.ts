/** The store's side of one resumable upload, with the losses that a test asks for. */
import { refusal, resource } from "./driver-fixture.ts";
import type { Received, Reply } from "./scripted-server.ts";

export interface SessionFaults {
  /** Of the request with this index (0 begins the upload): done, and then the connection ends. */
  readonly loseAnswerOf?: readonly number[];
  /** Of the request with this index: only so many of its bytes are kept. */
  readonly keepOnly?: Readonly<Record<number, number>>;
  /** CRC-32C that the store says it has. */
  readonly crc32c?: string;
  /** Instead of doing the request with this index. */
  readonly instead?: Readonly<Record<number, Reply>>;
}

export interface SessionServer {
  readonly answer: (received: Received, index: number) => Reply;
  /** What the store has; the object's bytes once it is complete. */
  readonly stored: () => Buffer;
  readonly isComplete: () => boolean;
}

export const sessionSecret = "upload-canary-ABPtcPo_-";

export function sessionServer(faults: SessionFaults = {}): SessionServer {
  let stored = Buffer.alloc(0);
  let isComplete = false;

  const finished = (): Reply => resource({ size: String(stored.byteLength), crc32c: faults.crc32c });

  const put = ({ headers, body }: Received, index: number): Reply => {
    const [, first, , total] = /^bytes (?:\*|(\d+)-(\d+))\/(\*|\d+)$/.exec(headers["content-range"] ?? "") ?? [];
    if (total === undefined) return refusal(400, "invalid");
    if (isComplete) return finished();
    if (first !== undefined) {
      if (Number(first) !== stored.byteLength) return refusal(503, "backendError");
      stored = Buffer.concat([stored, body.subarray(0, faults.keepOnly?.[index] ?? body.byteLength)]);
    }
    isComplete = total !== "*" && Number(total) === stored.byteLength;
    if (isComplete) return finished();
    const range = stored.byteLength === 0 ? {} : { range: `bytes=0-${stored.byteLength - 1}` };
    return { status: 308, headers: range };
  };

  return {
    stored: () => stored,
    isComplete: () => isComplete,
    answer(received, index) {
      const instead = faults.instead?.[index];
      if (instead !== undefined) return instead;
      const { method, headers, path } = received;
      const location = `http://${headers.host}${path}?uploadType=resumable&upload_id=${sessionSecret}`;
      let reply: Reply = { status: 204 };
      if (method === "POST") reply = { headers: { location, "x-guploader-uploadid": sessionSecret } };
      else if (method === "PUT") reply = put(received, index);
      else if (received.query.has("upload_id")) reply = { status: 499 };
      return faults.loseAnswerOf?.includes(index) === true ? { fault: "reset" } : reply;
    },
  };
}
