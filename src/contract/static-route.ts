/**
 * The static route on the wire: what is shown, and what may be said to make or change one.
 *
 * What a schema cannot say (whose end the next hop is) is in `account/static-route.ts`.
 */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import { MOST_ELEMENTS } from "./interconnect.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** The vendor's regions, in "Traffic steering", region codes. */
const Region = Type.Enum(["AFR", "APAC", "EEUR", "ENAM", "ME", "OC", "SAM", "WEUR", "WNAM"]);

/** Where a route counts, for routes of equal prefix and priority. An empty list is none. */
const Scope = Type.Object(
  {
    colo_names: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 1000,
        description: "Data centres by name. An empty list is none.",
      }),
    ),
    colo_regions: Type.Optional(Type.Array(Region, { maxItems: 9, description: "Regions by their code." })),
  },
  { description: "Where the route counts: everywhere unless said.", ...closed },
);

const says = {
  created_on: {
    description: "When it was made. Read-only.",
    examples: ["2017-06-14T00:00:00Z"],
    readOnly: true,
  },
  modified_on: {
    description: "When a value changed last. Read-only.",
    examples: ["2017-06-14T05:20:00Z"],
    readOnly: true,
  },
} as const;

const RouteId = Type.String({
  minLength: 1,
  maxLength: 32,
  description: "The identifier.",
  examples: ["a1b2c3d4e5f60718293a4b5c6d7e8f90"],
});

const required = {
  nexthop: Type.String({
    maxLength: 64,
    description:
      "The customer's end of the interface subnet of one of the account's tunnels or interconnects.",
    examples: ["10.213.0.9"],
  }),
  prefix: Type.String({
    maxLength: 64,
    description: "What is reached, IPv4 or IPv6 in CIDR form, without host bits.",
    examples: ["172.16.10.0/24"],
  }),
  priority: Type.Integer({
    minimum: 0,
    maximum: 2147483647,
    description: "The lower, the more preferred. Routes learned by BGP have 100.",
    examples: [100],
  }),
};

const optional = {
  description: Type.Optional(
    Type.String({ maxLength: 1024, description: "Free text.", examples: ["Branch office behind ORD"] }),
  ),
  scope: Type.Optional(Scope),
  weight: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 256,
      description: "The share of this route among those of equal prefix and priority.",
    }),
  ),
};

/** A route as answered. */
export const StaticRoute = Type.Object(
  {
    id: RouteId,
    created_on: Type.String({ format: "date-time", ...says.created_on }),
    modified_on: Type.String({ format: "date-time", ...says.modified_on }),
    ...required,
    ...optional,
  },
  { title: "StaticRoute", ...closed },
);
export type StaticRoute = Static<typeof StaticRoute>;

/** What a route is made of. */
export const NewStaticRoute = Type.Object(
  { ...required, ...optional },
  { title: "NewStaticRoute", ...closed },
);

/** What an update may say: what is left out stays. */
export const StaticRouteUpdate = Type.Object(
  {
    id: Type.Optional(RouteId),
    created_on: Type.Optional(Type.String(says.created_on)),
    modified_on: Type.Optional(Type.String(says.modified_on)),
    nexthop: Type.Optional(required.nexthop),
    prefix: Type.Optional(required.prefix),
    priority: Type.Optional(required.priority),
    ...optional,
  },
  { title: "StaticRouteUpdate", description: "What is left out stays as it is.", ...closed },
);
export type StaticRouteUpdate = Static<typeof StaticRouteUpdate>;

/** What names a route that is to go. */
export const NamedStaticRoute = Type.Object({ id: RouteId }, closed);

const many = <Element extends typeof NewStaticRoute | typeof StaticRouteUpdate | typeof NamedStaticRoute>(
  element: Element,
) => Type.Object({ routes: Type.Array(element, { maxItems: MOST_ELEMENTS }) }, closed);

/** The body that makes routes: one, or (as older clients send it) several. */
export const CreateBody = Type.Union([NewStaticRoute, many(NewStaticRoute)]);
/** A bare list and a bare element mean the same. */
export const UpdateManyBody = Type.Union([
  many(StaticRouteUpdate),
  Type.Array(StaticRouteUpdate, { maxItems: MOST_ELEMENTS }),
  StaticRouteUpdate,
]);
/** Without a body, all routes go. */
export const DeleteManyBody = Type.Union([
  many(NamedStaticRoute),
  Type.Array(NamedStaticRoute, { maxItems: MOST_ELEMENTS }),
  NamedStaticRoute,
]);

const Routes = Type.Array(StaticRoute);
export const RouteListAnswer = success(Type.Object({ routes: Routes }, closed));
export const RouteAnswer = success(Type.Object({ route: StaticRoute }, closed));
/** In the form of the request: the route alone, or a list. */
export const RouteCreatedAnswer = success(Type.Union([StaticRoute, Type.Object({ routes: Routes }, closed)]));
export const RouteUpdatedAnswer = success(
  Type.Object({ modified: Type.Boolean(), modified_route: StaticRoute }, closed),
);
export const RoutesUpdatedAnswer = success(
  Type.Object({ modified: Type.Boolean(), modified_routes: Routes }, closed),
);
export const RouteDeletedAnswer = success(
  Type.Object({ deleted: Type.Boolean(), deleted_route: StaticRoute }, closed),
);
export const RoutesDeletedAnswer = success(
  Type.Object({ deleted: Type.Boolean(), deleted_routes: Routes }, closed),
);

/** What a route may be refused for besides its form. */
const rules = ["next_hop_unreachable", "next_hop_not_customers", "route_exists"] as const;

/** What a list of elements may be refused for besides. */
const bulk = ["too_many_elements", "repeated_element", "unknown_route"] as const;

const routes = "/client/v4/accounts/:account_id/magic/routes";

/** What may be asked of static routes. */
export const staticRouteOperations = {
  listRoutes: {
    method: "GET",
    path: routes,
    summary: "List routes",
    groups: accepted.readMagic,
    query: [],
    conditional: true,
    answer: RouteListAnswer,
    origin: "vendor",
  },
  createRoutes: {
    method: "POST",
    path: routes,
    summary: "Create a route",
    description:
      "One route, answered alone; or, as older clients send them, several under `routes`, all or none.",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    conditional: true,
    confirmable: true,
    answer: RouteCreatedAnswer,
    body: CreateBody,
    example: { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 200 },
    refusals: ["too_many_objects", "too_many_elements", ...rules],
    origin: "vendor",
  },
  updateRoutes: {
    method: "PUT",
    path: routes,
    summary: "Update many routes",
    description: "All or nothing, and judged as the set would be afterwards.",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    conditional: true,
    confirmable: true,
    answer: RoutesUpdatedAnswer,
    body: UpdateManyBody,
    example: { routes: [{ id: "a1b2c3d4e5f60718293a4b5c6d7e8f90", priority: 50 }] },
    refusals: ["read_only_field", ...bulk, ...rules],
    origin: "vendor",
  },
  deleteRoutes: {
    method: "DELETE",
    path: routes,
    summary: "Delete many routes",
    description:
      "Without a body **every** route of the account goes; with `{routes: [{id}]}` those that are named.",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    conditional: true,
    confirmable: true,
    answer: RoutesDeletedAnswer,
    body: DeleteManyBody,
    bodyOptional: true,
    example: { routes: [{ id: "a1b2c3d4e5f60718293a4b5c6d7e8f90" }] },
    refusals: bulk,
    origin: "vendor",
  },
  getRoute: {
    method: "GET",
    path: `${routes}/:route_id`,
    summary: "Route details",
    groups: accepted.readMagic,
    query: [],
    conditional: true,
    answer: RouteAnswer,
    origin: "vendor",
  },
  updateRoute: {
    method: "PUT",
    path: `${routes}/:route_id`,
    summary: "Update route",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    conditional: true,
    confirmable: true,
    answer: RouteUpdatedAnswer,
    body: StaticRouteUpdate,
    example: { priority: 50 },
    refusals: ["read_only_field", ...rules],
    origin: "vendor",
  },
  deleteRoute: {
    method: "DELETE",
    path: `${routes}/:route_id`,
    summary: "Delete route",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    conditional: true,
    confirmable: true,
    answer: RouteDeletedAnswer,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
