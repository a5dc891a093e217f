/** One object out of several. https://cloud.google.com/storage/docs/json_api/v1/objects/compose */
import { conditionNotMet, invalid, notImplemented, required } from "./api-error.ts";
import { type Attributes, noAttributes, optionalText, parseResource } from "./attributes.ts";
import type { Answer, Call } from "./call.ts";
import { parseConditions } from "./conditions.ts";
import type { Content } from "./content.ts";
import { verifyChecksums } from "./checksums.ts";
import { crc32cOfBoth } from "./crc32c.ts";
import { isRecord, readJson } from "./json-body.ts";
import { checkObjectName } from "./object-name.ts";
import { bucketOf, type Service } from "./service.ts";
import { resourceOf, type StoredObject } from "./stored-object.ts";

const sourcesMax = 32;

export async function composeObject(service: Service, call: Call): Promise<Answer> {
  const { query, target } = call;
  const body = await readJson(call.body, call.headers);
  const bucket = bucketOf(service, target.bucket);
  const name = target.object ?? "";
  checkObjectName(name);
  const { attributes, checksums, sources } = parseBody(body);
  const objects = sources.map(({ name: sourceName, generation, generationMatch }) => {
    const source = bucket.get(sourceName, generation);
    if (generationMatch !== undefined && generationMatch !== source.generation) {
      throw conditionNotMet(`objectPreconditions.ifGenerationMatch of ${sourceName}`);
    }
    return source;
  });
  const content = concatenate(objects);
  verifyChecksums(content, checksums);
  const componentCount = objects.reduce((sum, source) => sum + (source.componentCount ?? 1), 0);
  const object = bucket.putShared(name, { content, attributes, componentCount }, parseConditions(query));
  return { status: 200, resource: resourceOf(object, service.origin) };
}

/** Shares the sources' bytes; the service keeps no MD5 of a composed object. */
function concatenate(objects: readonly StoredObject[]): Content {
  let whole: Content = { size: 0, crc32c: 0, md5: undefined, chunks: [] };
  for (const { content } of objects) {
    const isKept = whole.chunks !== undefined && content.chunks !== undefined;
    whole = {
      size: whole.size + content.size,
      crc32c: crc32cOfBoth(whole.crc32c, content.crc32c, content.size),
      md5: undefined,
      chunks: isKept ? [...(whole.chunks ?? []), ...(content.chunks ?? [])] : undefined,
    };
  }
  return whole;
}

interface ComposeSource {
  readonly name: string;
  readonly generation: bigint | undefined;
  readonly generationMatch: bigint | undefined;
}

interface ComposeBody {
  readonly attributes: Attributes;
  readonly checksums: ReturnType<typeof parseResource>["checksums"];
  readonly sources: readonly ComposeSource[];
}

function parseBody(body: Readonly<Record<string, unknown>>): ComposeBody {
  for (const field of Object.keys(body)) {
    if (field === "deleteSourceObjects" && body[field] !== false) throw notImplemented("deleteSourceObjects");
    if (!["kind", "destination", "sourceObjects", "deleteSourceObjects"].includes(field)) {
      throw invalid(`Unknown field of a compose request: ${field}`);
    }
  }
  const { destination, sourceObjects } = body;
  if (destination !== undefined && !isRecord(destination)) throw invalid("destination is not an object");
  if (!Array.isArray(sourceObjects) || sourceObjects.length === 0) throw required("sourceObjects");
  if (sourceObjects.length > sourcesMax) {
    throw invalid(`${sourceObjects.length} source objects, but at most ${sourcesMax} can be composed.`);
  }
  const { attributes, checksums } =
    destination === undefined ? { attributes: noAttributes, checksums: {} } : parseResource(destination);
  return { attributes, checksums, sources: sourceObjects.map(parseSource) };
}

function parseSource(source: unknown): ComposeSource {
  if (!isRecord(source)) throw invalid("A source object is not an object");
  const { objectPreconditions = {} } = source;
  if (!isRecord(objectPreconditions)) throw invalid("objectPreconditions is not an object");
  refuseOtherFields(source, ["name", "generation", "objectPreconditions"]);
  refuseOtherFields(objectPreconditions, ["ifGenerationMatch"]);
  const name = optionalText(source, "name");
  if (name === undefined) throw required("sourceObjects[].name");
  return {
    name,
    generation: int64Of(source["generation"]),
    generationMatch: int64Of(objectPreconditions["ifGenerationMatch"]),
  };
}

function refuseOtherFields(body: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const other = Object.keys(body).find((field) => !known.includes(field));
  if (other !== undefined) throw invalid(`Unknown field of a source object: ${other}`);
}

/** JSON has int64 as texts; small numbers are taken, too. */
function int64Of(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== "string" || !/^\d{1,19}$/.test(text)) throw invalid("A generation is not an int64 from 0 up");
  return BigInt(text);
}
