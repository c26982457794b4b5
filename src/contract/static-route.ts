/**
 * The static route on the wire: what is shown, and what may be said to make or change one.
 *
 * What a schema cannot say (whose end the next hop is) is in `account/static-route.ts`.
 */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import { Identifier, MOST_ELEMENTS } from "./interconnect.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** The vendor's regions, in "Traffic steering", region codes. */
const Region = Type.Enum(["AFR", "APAC", "EEUR", "ENAM", "ME", "OC", "SAM", "WEUR", "WNAM"]);

/** Where a route counts, for routes of equal prefix and priority. An empty list is none. */
const Scope = Type.Object(
  {
    colo_names: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 1000 })),
    colo_regions: Type.Optional(Type.Array(Region, { maxItems: 9 })),
  },
  closed,
);

const required = {
  nexthop: Type.String({ maxLength: 64 }),
  prefix: Type.String({ maxLength: 64 }),
  /** The lower, the more preferred; routes learned by BGP have 100. */
  priority: Type.Integer({ minimum: 0, maximum: 2147483647 }),
};

const optional = {
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  scope: Type.Optional(Scope),
  weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
};

/** A route as answered. */
export const StaticRoute = Type.Object(
  {
    id: Identifier,
    created_on: Type.String({ format: "date-time" }),
    modified_on: Type.String({ format: "date-time" }),
    ...required,
    ...optional,
  },
  closed,
);
export type StaticRoute = Static<typeof StaticRoute>;

/** What a route is made of. */
export const NewStaticRoute = Type.Object({ ...required, ...optional }, closed);

/** What an update may say: what is left out stays. */
export const StaticRouteUpdate = Type.Object(
  {
    id: Type.Optional(Identifier),
    created_on: Type.Optional(Type.String()),
    modified_on: Type.Optional(Type.String()),
    nexthop: Type.Optional(required.nexthop),
    prefix: Type.Optional(required.prefix),
    priority: Type.Optional(required.priority),
    ...optional,
  },
  closed,
);
export type StaticRouteUpdate = Static<typeof StaticRouteUpdate>;

/** What names a route that is to go. */
export const NamedStaticRoute = Type.Object({ id: Identifier }, closed);

const many = <Element extends typeof NewStaticRoute | typeof StaticRouteUpdate | typeof NamedStaticRoute>(
  element: Element,
) => Type.Object({ routes: Type.Array(element, { maxItems: MOST_ELEMENTS }) }, closed);

/** The body that makes routes: one, or (as older clients send it) several. */
export const CreateBody = Type.Union([NewStaticRoute, many(NewStaticRoute)]);
export const UpdateManyBody = many(StaticRouteUpdate);
/** Without a body, all routes go. */
export const DeleteManyBody = many(NamedStaticRoute);

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

const routes = "/client/v4/accounts/:account_id/magic/routes";

/** What may be asked of static routes. */
export const staticRouteOperations = {
  listRoutes: {
    method: "GET",
    path: routes,
    summary: "List routes",
    groups: accepted.readMagic,
    query: [],
    answer: RouteListAnswer,
    origin: "vendor",
  },
  createRoutes: {
    method: "POST",
    path: routes,
    summary: "Create a route",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: RouteCreatedAnswer,
    body: CreateBody,
    origin: "vendor",
  },
  updateRoutes: {
    method: "PUT",
    path: routes,
    summary: "Update many routes",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: RoutesUpdatedAnswer,
    body: UpdateManyBody,
    origin: "vendor",
  },
  deleteRoutes: {
    method: "DELETE",
    path: routes,
    summary: "Delete many routes",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: RoutesDeletedAnswer,
    body: DeleteManyBody,
    origin: "vendor",
  },
  getRoute: {
    method: "GET",
    path: `${routes}/:route_id`,
    summary: "Route details",
    groups: accepted.readMagic,
    query: [],
    answer: RouteAnswer,
    origin: "vendor",
  },
  updateRoute: {
    method: "PUT",
    path: `${routes}/:route_id`,
    summary: "Update route",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: RouteUpdatedAnswer,
    body: StaticRouteUpdate,
    origin: "vendor",
  },
  deleteRoute: {
    method: "DELETE",
    path: `${routes}/:route_id`,
    summary: "Delete route",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: RouteDeletedAnswer,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
