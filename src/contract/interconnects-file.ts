/**
 * The JSON Schema of a file of interconnects, for editors: what `patchbay plan` reads.
 *
 * Made of the schema of an update, so that a field that can be written can stand in a file the same day.
 */

import { Interconnect, UpdateWithText } from "./interconnect.ts";

/** Shown, and never written; `id` stands in a file to say which interconnect is meant. */
const READ_ONLY = new Set([
  "id",
  "colo_name",
  "created_on",
  "modified_on",
  "version",
  "virtual_port_reservation_id",
]);

/** One interconnect's alone: several cannot share them. */
const UNIQUE = new Set(["name", "interface_address", "interface_address6"]);

function without(properties: object, left: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !left(name)));
}

const { bgp, id } = UpdateWithText.properties;

/** What can be written. `as_no` is `customer_asn` by its old name: in a file, a value has one name. */
const writable = {
  ...without(UpdateWithText.properties, (name) => READ_ONLY.has(name)),
  mtu: Interconnect.properties.mtu,
  bgp: { ...bgp, properties: without(bgp.properties, (name) => name === "as_no") },
};

const group = { type: "string", description: "A name in `groups`." };

/** Draft 2020-12. */
export const interconnectsFileSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Interconnects",
  description:
    "Interconnects of an account as they should be, for `patchbay plan` and `patchbay apply`. What is left out stays as it is.",
  type: "object",
  additionalProperties: false,
  required: ["interconnects"],
  properties: {
    defaults: { $ref: "#/$defs/shared", description: "Fields of every interconnect in this file." },
    groups: {
      type: ["object", "null"],
      description: "Named sets of fields. An interconnect takes one by `group`, several by `groups`.",
      additionalProperties: { $ref: "#/$defs/shared" },
    },
    interconnects: {
      type: ["object", "null"],
      description: "By name. A new name is given as `name`.",
      additionalProperties: { $ref: "#/$defs/interconnect" },
    },
  },
  $defs: {
    shared: {
      type: ["object", "null"],
      additionalProperties: false,
      properties: without(writable, (name) => UNIQUE.has(name)),
    },
    interconnect: {
      type: ["object", "null"],
      additionalProperties: false,
      not: { type: "object", required: ["group", "groups"] },
      properties: {
        ...writable,
        id: { ...id, description: "Which interconnect is meant, where its name alone does not tell." },
        group,
        groups: { type: "array", items: group, description: "The later counts over the earlier." },
      },
    },
  },
};
