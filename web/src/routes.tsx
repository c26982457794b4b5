/**
 * The addresses of pages. To add one: its route here, its page in `pages/`, loaded when it is opened, and if it belongs
 * into the navigation, its line in `parts/navigation.ts`.
 */

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  stringifySearchWith,
} from "@tanstack/react-router";
import { queries } from "./api/query-client.ts";
import { forgetRecent } from "./api/recent.ts";
import { findSession, firstAccount, onSessionEnd } from "./api/session.ts";
import { readChangeSearch } from "./pages/change/search.ts";
import { readHistorySearch } from "./pages/history/search.ts";
import { readInspectorSearch } from "./pages/inspector/search.ts";
import { readInterconnectSearch } from "./pages/interconnect/search.ts";
import { readOverviewSearch } from "./pages/overview/search.ts";
import { readSignInSearch } from "./pages/sign-in/search.ts";
import { SignIn } from "./pages/sign-in/sign-in.tsx";
import { readTopologySearch } from "./pages/topology/search.ts";
import { Broken } from "./parts/broken.tsx";
import { Frame } from "./parts/frame.tsx";
import { NoPage } from "./parts/no-page.tsx";
import { only } from "./parts/search.ts";
import { forgetSelection } from "./parts/selection.ts";

const root = createRootRoute({ component: Outlet, notFoundComponent: NoPage, errorComponent: Broken });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async () => {
    const session = await findSession();
    const account = session && firstAccount(session);
    if (!account) throw redirect({ to: "/dashboard/sign-in" });
    throw redirect({ to: "/dashboard/$account/interconnects", params: { account: account.id } });
  },
});

const dashboard = createRoute({
  getParentRoute: () => root,
  path: "/dashboard",
  beforeLoad: () => {
    throw redirect({ to: "/" });
  },
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/dashboard/sign-in",
  validateSearch: only(readSignInSearch),
  component: SignIn,
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/dashboard/$account",
  beforeLoad: async ({ location }) => {
    if (!(await findSession())) throw redirect({ to: "/dashboard/sign-in", search: { next: location.href } });
  },
  component: Frame,
});

const interconnects = createRoute({
  getParentRoute: () => account,
  path: "/interconnects",
  validateSearch: only(readOverviewSearch),
  component: lazyRouteComponent(() => import("./pages/overview/overview.tsx"), "Overview"),
});

const interconnect = createRoute({
  getParentRoute: () => account,
  path: "/interconnects/$interconnect",
  validateSearch: only(readInterconnectSearch),
  component: lazyRouteComponent(() => import("./pages/interconnect/interconnect.tsx"), "InterconnectPage"),
});

const topology = createRoute({
  getParentRoute: () => account,
  path: "/topology",
  validateSearch: only(readTopologySearch),
  component: lazyRouteComponent(() => import("./pages/topology/topology.tsx"), "Topology"),
});

const change = createRoute({
  getParentRoute: () => account,
  path: "/change",
  validateSearch: only(readChangeSearch),
  component: lazyRouteComponent(() => import("./pages/change/change.tsx"), "Change"),
});

const live = createRoute({
  getParentRoute: () => account,
  path: "/live/$revision",
  component: lazyRouteComponent(() => import("./pages/live/live.tsx"), "Live"),
});

const inspector = createRoute({
  getParentRoute: () => account,
  path: "/inspector",
  validateSearch: only(readInspectorSearch),
  component: lazyRouteComponent(() => import("./pages/inspector/inspector.tsx"), "Inspector"),
});

const history = createRoute({
  getParentRoute: () => account,
  path: "/history",
  validateSearch: only(readHistorySearch),
  component: lazyRouteComponent(() => import("./pages/history/history.tsx"), "History"),
});

const routeTree = root.addChildren([
  home,
  dashboard,
  signIn,
  account.addChildren([interconnects, interconnect, topology, change, live, inspector, history]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  // Plain texts: what is in an address can be read and typed, and a number in it is no other thing than it looks.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: stringifySearchWith(String),
});

onSessionEnd((wanted) => {
  queries.clear();
  forgetRecent();
  forgetSelection();
  const { href, pathname } = router.state.location;
  if (pathname === "/dashboard/sign-in") return;
  void router.navigate({ to: "/dashboard/sign-in", search: wanted ? {} : { next: href } });
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
