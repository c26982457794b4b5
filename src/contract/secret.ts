/** Which members of bodies are secrets, from the schemas that say so. */

/** Marks the schema of a secret: its values are shown in no log and no inspector. */
export const secret = { "x-secret": true } as const;

/** Names of all members that schemas mark as secrets, in whatever they are nested. */
export function secretMembers(schemas: unknown, found = new Set<string>(), seen = new Set()): Set<string> {
  if (typeof schemas !== "object" || schemas === null || seen.has(schemas)) return found;
  seen.add(schemas);
  for (const [keyword, inner] of Object.entries(schemas)) {
    if (keyword === "properties") {
      for (const [name, schema] of Object.entries(Object(inner))) {
        // The result of an envelope may be a bare secret, which shows in its form.
        if (name !== "result" && isSecret(schema)) found.add(name);
      }
    }
    secretMembers(inner, found, seen);
  }
  return found;
}

function isSecret(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  if (Reflect.get(schema, "x-secret") === true) return true;
  const { anyOf } = schema as { readonly anyOf?: unknown };
  return Array.isArray(anyOf) && anyOf.some(isSecret);
}
