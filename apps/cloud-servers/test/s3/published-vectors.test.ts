// Goal: the tests' signer and the server's verifier both follow Signature Version 4 as it is published.
// Method: the vendor's examples, with the signatures printed there: the general suite (service "service"), the examples
// of the S3 documentation, and those of streamed bodies with and without a trailer.
import { describe, expect, test } from "vitest";
import { AwsChunkedDecoder } from "../../src/s3/body/aws-chunked.ts";
import { ChunkSignatures } from "../../src/s3/sigv4/chunk-signature.ts";
import { signingKey } from "../../src/s3/sigv4/signing-key.ts";
import { verifyRequest } from "../../src/s3/sigv4/verify.ts";
import { checksumOf } from "../../src/s3/body/checksum-algorithm.ts";
import {
  authorizationHeader,
  chunkSignature,
  hashHex,
  presign,
  type RequestToSign,
  sign,
  type SigningIdentity,
  trailerSignature,
} from "./signer.ts";

const suite: SigningIdentity = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  service: "service",
};
const suiteTime = "20150830T123600Z";
const suiteHeaders = { host: "example.amazonaws.com", "x-amz-date": suiteTime };

test.each<[string, string, string, Record<string, string>, string]>([
  ["get-vanilla", "GET", "/", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  [
    "get-vanilla-query-order-key-case",
    "GET",
    "/",
    { Param2: "value2", Param1: "value1" },
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-vanilla-utf8-query",
    "GET",
    "/",
    { ሴ: "bar" },
    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
  ],
  ["post-vanilla", "POST", "/", {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  [
    "post-vanilla-query",
    "POST",
    "/",
    { Param1: "value1" },
    "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
  ],
])("%s", (_, method, path, query, expected) => {
  const request = { method, path, query, headers: suiteHeaders, payloadHash: hashHex(""), timestamp: suiteTime };
  expect(sign(suite, request).signature).toBe(expected);
});

const s3: SigningIdentity = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  service: "s3",
};
const s3Time = "20130524T000000Z";
const s3WallMs = Date.UTC(2013, 4, 24);
const s3Host = "examplebucket.s3.amazonaws.com";
const welcome = hashHex("Welcome to Amazon S3.");

const verify = (request: RequestToSign, headers: Record<string, string>, query = request.query): string => {
  const entries = (values: Readonly<Record<string, string>>): [string, string][] => Object.entries(values);
  const unverified = {
    method: request.method,
    pathBytes: request.path,
    query: entries(query),
    headers: entries(headers),
  };
  return verifyRequest(unverified, s3, "us-east-1", s3WallMs).payloadHash;
};

describe("examples of the S3 documentation", () => {
  const get = { method: "GET", path: "/", query: {}, timestamp: s3Time, payloadHash: hashHex("") };
  const base = { host: s3Host, "x-amz-content-sha256": hashHex(""), "x-amz-date": s3Time };
  test.each<[string, RequestToSign, string]>([
    [
      "GET object",
      { ...get, path: "/test.txt", headers: { ...base, range: "bytes=0-9" } },
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ],
    [
      "PUT object",
      {
        ...get,
        method: "PUT",
        path: "/test$file.text",
        payloadHash: welcome,
        headers: {
          ...base,
          date: "Fri, 24 May 2013 00:00:00 GMT",
          "x-amz-content-sha256": welcome,
          "x-amz-storage-class": "REDUCED_REDUNDANCY",
        },
      },
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ],
    [
      "GET bucket lifecycle",
      { ...get, query: { lifecycle: "" }, headers: base },
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
      "GET bucket (list objects)",
      { ...get, query: { "max-keys": "2", prefix: "J" }, headers: base },
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
  ])("%s", (_, request, expected) => {
    const signature = sign(s3, request);
    expect(signature.signature).toBe(expected);
    expect(verify(request, { ...request.headers, authorization: authorizationHeader(signature) })).toBe(
      request.payloadHash,
    );
    const forged = { ...signature, signature: expected.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) };
    expect(() => verify(request, { ...request.headers, authorization: authorizationHeader(forged) })).toThrow(
      "signature",
    );
  });

  test("a presigned GET", () => {
    const request = { ...get, path: "/test.txt", headers: { host: s3Host } };
    const query = presign(s3, request, 86_400);
    expect(query["X-Amz-Signature"]).toBe("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    expect(verify(request, request.headers, query)).toBe("UNSIGNED-PAYLOAD");
  });
});

describe("bodies in chunks", () => {
  const data = Buffer.alloc(66_560, "a");
  const chunks = [data.subarray(0, 65_536), data.subarray(65_536), data.subarray(data.length)];
  const seeded = (streaming: string, extra: Record<string, string>): RequestToSign => ({
    method: "PUT",
    path: "/examplebucket/chunkObject.txt",
    query: {},
    payloadHash: streaming,
    timestamp: s3Time,
    headers: {
      host: "s3.amazonaws.com",
      "content-encoding": "aws-chunked",
      "content-length": "66824",
      "x-amz-content-sha256": streaming,
      "x-amz-date": s3Time,
      "x-amz-decoded-content-length": "66560",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      ...extra,
    },
  });
  const chunkSignatures = (seed: string): string[] => {
    let previous = seed;
    return chunks.map((chunk) => {
      previous = chunkSignature(s3, s3Time, previous, chunk);
      return previous;
    });
  };
  const decode = (seed: string, signatures: readonly string[], trailer: string | undefined): number => {
    const scope = { date: "20130524", region: "us-east-1", service: "s3" };
    const key = signingKey(s3.secretAccessKey, scope);
    const chain = new ChunkSignatures({
      signature: seed,
      timestamp: s3Time,
      scope: "20130524/us-east-1/s3/aws4_request",
      key,
    });
    let bytes = 0;
    const decoder = new AwsChunkedDecoder({ isSigned: true, hasTrailer: trailer !== undefined }, chain, (piece) => {
      bytes += piece.byteLength;
    });
    chunks.forEach((chunk, index) => {
      decoder.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signatures[index]}\r\n`));
      decoder.push(chunk);
      if (chunk.length > 0 || trailer === undefined) decoder.push(Buffer.from("\r\n"));
    });
    if (trailer !== undefined) decoder.push(Buffer.from(trailer));
    decoder.end();
    return bytes;
  };

  test("signed", () => {
    const seed = sign(s3, seeded("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", {})).signature;
    expect(seed).toBe("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    const signatures = chunkSignatures(seed);
    expect(signatures).toEqual([
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]);
    expect(decode(seed, signatures, undefined)).toBe(data.length);
    expect(() => decode(seed, [...signatures].reverse(), undefined)).toThrow("signature");
  });

  test("signed, with a trailer", () => {
    const value = checksumOf("CRC32C", [data]);
    expect(value).toBe("sOO8/Q==");
    const request = seeded("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { "x-amz-trailer": "x-amz-checksum-crc32c" });
    const { "content-length": _, ...headers } = request.headers;
    const seed = sign(s3, { ...request, headers }).signature;
    expect(seed).toBe("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    const signatures = chunkSignatures(seed);
    expect(signatures).toEqual([
      "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ]);
    const line = `x-amz-checksum-crc32c:${value}`;
    const last = trailerSignature(s3, s3Time, signatures[2] ?? "", `${line}\n`);
    expect(last).toBe("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
    // The documentation's own body has a line feed before the CRLF.
    const trailer = `${line}\n\r\nx-amz-trailer-signature:${last}\r\n\r\n`;
    expect(decode(seed, signatures, trailer)).toBe(data.length);
    expect(() => decode(seed, signatures, trailer.replace("sOO8", "sOO9"))).toThrow("signature");
  });
});
