/** Unions as code generators need them: named forms, and a discriminator that maps to them. */
import * as z from "zod";
import type { Schema } from "./types.ts";

interface Union {
  options: readonly z.ZodObject[];
  def: { discriminator: string };
}

/** Returns the form of a discriminated union whose discriminator has `value`, to give it a name. */
export function formOf(union: Union, value: string): z.ZodObject {
  const form = union.options.find(({ shape }) => {
    const discriminator = shape[union.def.discriminator];
    return discriminator instanceof z.ZodLiteral && discriminator.value === value;
  });
  if (form === undefined) throw new Error(`The union has no form '${value}'`);
  return form;
}

/**
 * Adds a `discriminator` with its mapping (OpenAPI 3.1, 4.8.25) to each component schema that is a
 * `oneOf` of others: the property that is a constant in each of them.
 */
export function withDiscriminators(schemas: Record<string, Schema>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const refs = (schema.oneOf as { $ref: string }[] | undefined)?.map(({ $ref }) => $ref);
      return [name, refs ? { ...schema, discriminator: discriminatorOf(refs, schemas) } : schema];
    }),
  );
}

function discriminatorOf(refs: string[], schemas: Record<string, Schema>) {
  const forms = refs.map((ref) => {
    const { properties = {} } = schemas[ref.split("/").at(-1)!] as {
      properties?: Record<string, { const?: string }>;
    };
    return { ref, properties };
  });
  const propertyName = Object.keys(forms[0]!.properties).find((property) =>
    forms.every(({ properties }) => properties[property]?.const !== undefined)
  );
  if (propertyName === undefined) {
    throw new Error(`No property distinguishes ${refs.join(" from ")}`);
  }
  const mapping = Object.fromEntries(
    forms.map(({ ref, properties }) => [properties[propertyName]!.const!, ref]),
  );
  return { propertyName, mapping };
}
