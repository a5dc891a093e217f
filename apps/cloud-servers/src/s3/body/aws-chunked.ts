/**
 * The `aws-chunked` coding of bodies: chunks with their sizes, their signatures if there are any, and headers behind the
 * last one. Bytes may arrive in any pieces.
 *
 * Always true between pushes:
 *  I1  state "data": 0 < remaining bytes of the current chunk
 *  I2  no line that is being collected is longer than lineBytesMax
 *  I3  every chunk that ended had a right signature, and at least chunkBytesMin bytes if another followed
 */
import { createHash, type Hash } from "node:crypto";
import { S3Error } from "../s3-error.ts";
import type { ChunkSignatures } from "../sigv4/chunk-signature.ts";

/** How a body is coded. */
export interface AwsChunkedForm {
  /** Chunks carry `chunk-signature`. */
  readonly isSigned: boolean;
  /** Headers follow the last chunk. */
  readonly hasTrailer: boolean;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html: all chunks but the last. */
const chunkBytesMin = 8192;
const lineBytesMax = 4096;

/** Takes a coded body apart. */
export class AwsChunkedDecoder {
  readonly #form: AwsChunkedForm;
  readonly #signatures: ChunkSignatures | undefined;
  readonly #take: (data: Uint8Array) => void;
  readonly #trailer: [name: string, value: string][] = [];
  #state: "size" | "data" | "dataEnd" | "trailer" | "done" = "size";
  #line = "";
  #remaining = 0;
  #chunkSignature = "";
  #chunkHash: Hash = createHash("sha256");
  #chunkNumber = 0;
  #previousBytes: number | undefined;

  /**
   * @param signatures undefined where signatures are not checked
   * @param take gets the data, borrowed
   */
  constructor(form: AwsChunkedForm, signatures: ChunkSignatures | undefined, take: (data: Uint8Array) => void) {
    this.#form = form;
    this.#signatures = signatures;
    this.#take = take;
  }

  /** @throws S3Error */
  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.byteLength) {
      if (this.#state === "data") offset = this.#pushData(bytes, offset);
      else if (this.#state === "done") throw malformed("there is something behind its end");
      else offset = this.#pushLine(bytes, offset);
    }
  }

  /** @returns what followed the data, lower case names @throws S3Error when the body is not over */
  end(): readonly (readonly [name: string, value: string])[] {
    if (this.#state !== "done") throw malformed("it ends too early");
    return this.#trailer;
  }

  #pushData(bytes: Uint8Array, offset: number): number {
    const data = bytes.subarray(offset, offset + this.#remaining);
    if (this.#signatures !== undefined) this.#chunkHash.update(data);
    this.#take(data);
    this.#remaining -= data.byteLength;
    if (this.#remaining === 0) this.#state = "dataEnd";
    return offset + data.byteLength;
  }

  #pushLine(bytes: Uint8Array, offset: number): number {
    const newline = bytes.indexOf(10, offset);
    const end = newline < 0 ? bytes.byteLength : newline + 1;
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset + offset, end - offset).toString("latin1");
    if (this.#line.length > lineBytesMax) throw malformed("a line is too long");
    // A line feed alone is part of the line: the vendor's trailers have one before the CRLF.
    if (this.#line.endsWith("\r\n")) {
      const line = this.#line.slice(0, -2);
      this.#line = "";
      this.#takeLine(line);
    }
    return end;
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case "size":
        this.#startChunk(line);
        break;
      case "dataEnd":
        if (line !== "") throw malformed("a chunk is longer than it says");
        this.#endChunk();
        this.#state = "size";
        break;
      case "trailer":
        if (line === "") this.#endTrailer();
        else this.#trailer.push(headerOf(line));
        break;
      case "data":
      case "done":
        throw malformed("there is a line where none belongs");
    }
  }

  #startChunk(line: string): void {
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (match === null || (match[2] !== undefined) !== this.#form.isSigned) throw malformed("a chunk's head is wrong");
    const bytes = Number.parseInt(match[1] ?? "", 16);
    this.#chunkNumber += 1;
    if (bytes > 0 && this.#previousBytes !== undefined && this.#previousBytes < chunkBytesMin) {
      const details = { Chunk: String(this.#chunkNumber), BadChunkSize: String(this.#previousBytes) };
      throw new S3Error("InvalidChunkSizeError", { details });
    }
    this.#previousBytes = bytes;
    this.#chunkSignature = match[2] ?? "";
    this.#chunkHash = createHash("sha256");
    this.#remaining = bytes;
    if (bytes > 0) {
      this.#state = "data";
      return;
    }
    this.#endChunk();
    // Without a trailer the empty line that ends the last chunk's data ends the body: the same as an empty trailer.
    this.#state = "trailer";
  }

  #endChunk(): void {
    if (this.#signatures?.acceptsChunk(this.#chunkSignature, this.#chunkHash.digest("hex")) === false) {
      throw new S3Error("SignatureDoesNotMatch", { details: { Chunk: String(this.#chunkNumber) } });
    }
  }

  #endTrailer(): void {
    this.#state = "done";
    if (!this.#form.hasTrailer) {
      if (this.#trailer.length > 0) throw new S3Error("MalformedTrailerError");
      return;
    }
    if (!this.#form.isSigned) return;
    const last = this.#trailer.pop();
    if (last?.[0] !== "x-amz-trailer-signature") throw new S3Error("MalformedTrailerError");
    const text = this.#trailer.map(([name, value]) => `${name}:${value}\n`).join("");
    if (this.#signatures?.acceptsTrailer(last[1], text) === false) {
      throw new S3Error("SignatureDoesNotMatch", { details: { Trailer: text } });
    }
  }
}

function headerOf(line: string): [string, string] {
  const match = /^([A-Za-z0-9-]+)\s*:(.*)$/s.exec(line);
  if (match === null) throw new S3Error("MalformedTrailerError");
  return [(match[1] ?? "").toLowerCase(), (match[2] ?? "").trim()];
}

function malformed(why: string): S3Error {
  return new S3Error("IncompleteBody", { message: `The aws-chunked body is not well-formed: ${why}.` });
}
