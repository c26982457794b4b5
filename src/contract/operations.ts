/**
 * Every operation of the server: its route, who may use it, and the schema of its answer. The
 * routes, the tests of permission and contract, and the evidence are all driven by this list.
 */

import type { TSchema } from "typebox";
import {
  BulkUpdate,
  BulkUpdatedAnswer,
  ListAnswer,
  OneAnswer,
  UpdatedAnswer,
  UpdateWithObject,
} from "./interconnect.ts";
import { ChangeAnswer, ChangeListAnswer, ResetAnswer, StateAnswer, TokenStatusAnswer } from "./log.ts";
import { accepted, type PermissionGroup } from "./permissions.ts";
import {
  CreateBody,
  DeleteManyBody,
  RouteAnswer,
  RouteCreatedAnswer,
  RouteDeletedAnswer,
  RouteListAnswer,
  RoutesDeletedAnswer,
  RoutesUpdatedAnswer,
  RouteUpdatedAnswer,
  StaticRouteUpdate,
  UpdateManyBody,
} from "./static-route.ts";

export interface Operation {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With `:name` for what varies. */
  readonly path: string;
  readonly summary: string;
  /** Any one suffices; empty where a valid credential alone does. */
  readonly groups: readonly PermissionGroup[];
  /** Names of the query parameters it has. */
  readonly query: readonly string[];
  readonly answer: TSchema;
  readonly body?: TSchema;
  /** The vendor's operation, or Patchbay's own. */
  readonly origin: "vendor" | "patchbay";
}

const interconnects = "/client/v4/accounts/:account_id/magic/cf_interconnects";
const routes = "/client/v4/accounts/:account_id/magic/routes";
const own = "/patchbay/v1/accounts/:account_id";

export const operations = {
  listInterconnects: {
    method: "GET",
    path: interconnects,
    summary: "List interconnects",
    groups: accepted.readMagic,
    query: [],
    answer: ListAnswer,
    origin: "vendor",
  },
  updateInterconnects: {
    method: "PUT",
    path: interconnects,
    summary: "Update multiple interconnects",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: BulkUpdatedAnswer,
    body: BulkUpdate,
    origin: "vendor",
  },
  getInterconnect: {
    method: "GET",
    path: `${interconnects}/:cf_interconnect_id`,
    summary: "List interconnect details",
    groups: accepted.readMagic,
    query: [],
    answer: OneAnswer,
    origin: "vendor",
  },
  updateInterconnect: {
    method: "PUT",
    path: `${interconnects}/:cf_interconnect_id`,
    summary: "Update interconnect",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: UpdatedAnswer,
    body: UpdateWithObject,
    origin: "vendor",
  },
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
  verifyToken: {
    method: "GET",
    path: "/client/v4/user/tokens/verify",
    summary: "Verify token",
    groups: [],
    query: [],
    answer: TokenStatusAnswer,
    origin: "vendor",
  },
  listChanges: {
    method: "GET",
    path: `${own}/changes`,
    summary: "List or follow the account's changes",
    groups: accepted.readLog,
    query: ["limit", "cursor", "after", "wait", "epoch"],
    answer: ChangeListAnswer,
    origin: "patchbay",
  },
  getChange: {
    method: "GET",
    path: `${own}/changes/:revision`,
    summary: "One change",
    groups: accepted.readLog,
    query: [],
    answer: ChangeAnswer,
    origin: "patchbay",
  },
  getState: {
    method: "GET",
    path: `${own}/state`,
    summary: "All objects of the account, with epoch and revision",
    groups: accepted.readLog,
    query: [],
    answer: StateAnswer,
    origin: "patchbay",
  },
  reset: {
    method: "POST",
    path: "/patchbay/v1/reset",
    summary: "Go back to the seed (sandbox only)",
    groups: accepted.administer,
    query: [],
    answer: ResetAnswer,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
