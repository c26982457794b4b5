/** What pages read of their addresses, without a browser. */

import { describe, expect, test } from "vitest";
import { readChangeSearch } from "../../web/src/pages/change/search.ts";
import { readHistorySearch } from "../../web/src/pages/history/search.ts";
import { readInspectorSearch } from "../../web/src/pages/inspector/search.ts";
import { readInterconnectSearch } from "../../web/src/pages/interconnect/search.ts";
import { readOverviewSearch } from "../../web/src/pages/overview/search.ts";
import { readSignInSearch } from "../../web/src/pages/sign-in/search.ts";
import { readTopologySearch } from "../../web/src/pages/topology/search.ts";
import { only } from "../../web/src/parts/search.ts";

describe("the page to open after sign-in", () => {
  test.each([
    ["/dashboard/a/interconnects", "/dashboard/a/interconnects"],
    ["/dashboard/a/history?q=x&from=1#top", "/dashboard/a/history?q=x&from=1#top"],
    ["/dashboard/a/../b/live/3", "/dashboard/b/live/3"],
  ])("is a page of the dashboard: %s", (next, path) => {
    expect(readSignInSearch({ next })).toEqual({ next: path });
  });

  test.each([
    "http://evil.test/dashboard/",
    "https://evil.test",
    "//evil.test/dashboard/",
    "///evil.test/dashboard/",
    "/\\evil.test/dashboard/",
    "\\\\evil.test/dashboard/",
    "/\t/evil.test/dashboard/",
    "/dashboard/..//evil.test/",
    "/dashboard/%2e%2e//evil.test/",
    "/dashboard/../../\\evil.test/",
    "javascript:alert(1)//dashboard/",
    " /dashboard/a",
    "dashboard/a",
    "/dashboard",
    "/docs",
    "http://[",
    "",
    7,
    ["/dashboard/a"],
    undefined,
  ])("is no other page: %j", (next) => {
    expect(readSignInSearch({ next })).toEqual({});
  });
});

describe("the check of search parameters of each page", () => {
  const raw = {
    next: "http://evil.test",
    q: "",
    state: "x",
    sort: "-",
    own: "x",
    from: "-1",
    range: "1y",
    a: "b",
  };

  test.each([
    readChangeSearch,
    readHistorySearch,
    readInspectorSearch,
    readInterconnectSearch,
    readOverviewSearch,
    readSignInSearch,
    readTopologySearch,
  ])("leaves nothing of the raw address that it does not know: $name", (read) => {
    // As the router does.
    const merged = { ...raw, ...only<object>(read)(raw) };
    expect(Object.values(merged).filter((value) => value !== undefined)).toEqual([]);
  });

  test("keeps what it knows", () => {
    const search = { ...raw, q: "ord", state: "down,x" };
    expect({ ...search, ...only(readOverviewSearch)(search) }).toEqual({ q: "ord", state: "down" });
  });
});
