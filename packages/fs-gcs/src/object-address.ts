/**
 * Request paths of the JSON API, https://cloud.google.com/storage/docs/json_api. Names are encoded here and nowhere else.
 */

/** Parameters that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** The bucket's objects: to list them. */
export function objectsPath(bucket: string): string {
  return `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
}

/** One object. */
export function objectPath(bucket: string, name: string): string {
  return `${objectsPath(bucket)}/${encodeURIComponent(name)}`;
}

/** Where objects are sent to. */
export function uploadPath(bucket: string): string {
  return `/upload${objectsPath(bucket)}`;
}

export function withQuery(path: string, query: Query): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${parts.join("&")}`;
}
