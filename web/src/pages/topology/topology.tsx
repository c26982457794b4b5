/** Sites, the edges that watch them, interconnects and their state, in one picture that is read like a patch panel. */

import "./topology.css";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useAccount, useAccountState, useHealth } from "../../api/account.ts";
import { may, seesInterconnects } from "../../api/session.ts";
import { Broken } from "../../parts/broken.tsx";
import { Message } from "../../parts/message.tsx";
import { SearchField } from "../../parts/search-field.tsx";
import { useNow } from "../../parts/time.ts";
import { healthById, matchRows, rowsInStates, rowsOf } from "../overview/rows.ts";
import { StateFilter } from "../overview/toolbar.tsx";
import { Details } from "./details.tsx";
import { Edges } from "./edges.tsx";
import { neighbour } from "./neighbour.ts";
import { PanelPicture } from "./panel-picture.tsx";
import { panelsOf } from "./panels.ts";
import { foldedIn, foldedText, type TopologySearch } from "./search.ts";

export function Topology() {
  const account = useAccount();
  const state = useAccountState();
  const { data: told } = useHealth();
  const now = useNow();
  const search = useSearch({ from: "/dashboard/$account/topology" });
  const navigate = useNavigate({ from: "/dashboard/$account/topology" });
  const [lookedAt, setLookedAt] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  useEffect(() => {
    document.title = "Topology · Patchbay";
  }, []);

  const change = useCallback(
    ({ q, state: states, folded }: TopologySearch) =>
      void navigate({
        search: { ...(q && { q }), ...(states && { state: states }), ...(folded && { folded }) },
        replace: true,
      }),
    [navigate],
  );
  const { q } = search;
  const all = useMemo(() => (state.data ? rowsOf(state.data) : []), [state.data]);
  const health = useMemo(() => told && healthById(told.health, undefined), [told]);
  const matched = useMemo(() => matchRows(all, { ...(q && { q }) }), [all, q]);
  const found = rowsInStates(matched, health, search.state);
  const panels = panelsOf(found.rows, told?.health);
  const folded = foldedIn(search);
  const fold = (sites: readonly string[]) => change({ ...search, folded: foldedText(sites) });
  const flip = (site: string) =>
    fold([...folded].includes(site) ? [...folded].filter((one) => one !== site) : [...folded, site]);
  const areFolded = panels.length > 0 && panels.every(({ site }) => folded.has(site));

  const toPicture = () => {
    const first = (selector: string) => picture.current?.querySelector<HTMLElement>(selector);
    (first("a.port") ?? first(".panel-head button"))?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const ports = [...(picture.current?.querySelectorAll<HTMLElement>("a.port") ?? [])];
    const { activeElement } = document;
    const from = activeElement instanceof HTMLElement ? ports.indexOf(activeElement) : -1;
    const places = ports.map((port) => {
      const { left, top } = port.getBoundingClientRect();
      return { x: left, y: top };
    });
    const next = neighbour(event.key, from, places);
    if (next === undefined) return;
    event.preventDefault();
    ports[next]?.focus();
  };
  useSlash(field);

  if (!seesInterconnects(account))
    return (
      <Message title="The token may not see interconnects">
        <p>Sign in with one that has Magic WAN Read, Magic Transit Read or Patchbay Read in this account.</p>
      </Message>
    );
  if (state.error && !state.data) return <Broken error={state.error} reset={() => void state.refetch()} />;
  const shown = found.rows.find(({ id }) => id === lookedAt);
  return (
    <div className="topology">
      <div className="overview-head">
        <h1>Topology</h1>
        <p className="muted" role="status">
          {state.data
            ? `${tellNumber(panels.length, "site")}, ${tellNumber(found.rows.length, "interconnect")}`
            : "Reading …"}
        </p>
      </div>
      <search className="toolbar">
        <SearchField
          q={q ?? ""}
          search={(text) => change({ ...search, q: text })}
          placeholder="Name, address, site …"
          field={field}
          toRows={toPicture}
        />
        {may(account, "readHealth") && <StateFilter search={search} change={change} counts={found.counts} />}
        {panels.length > 1 && (
          <button
            type="button"
            className="plain"
            onClick={() => fold(areFolded ? [] : panels.map(({ site }) => site))}
          >
            {areFolded ? "Unfold all" : "Fold all"}
          </button>
        )}
      </search>
      {told && <Edges edges={told.health.edges} now={now} />}
      {state.data && panels.length === 0 ? (
        <Message title={all.length === 0 ? "The account has no interconnects" : "None fits"}>
          <p>
            {all.length === 0
              ? "They come with a seed file, by the CNI API, or from an administrator."
              : "No interconnect fits what is searched for and filtered."}
          </p>
        </Message>
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: arrows lead from one link to the next
        <div className="panels" ref={picture} onKeyDown={onKeyDown}>
          {panels.map((panel) => (
            <PanelPicture
              key={panel.site}
              account={account.id}
              panel={panel}
              health={health}
              isFolded={folded.has(panel.site)}
              flip={flip}
              look={setLookedAt}
            />
          ))}
        </div>
      )}
      <Details row={shown} health={health?.get(shown?.id ?? "")} now={now} />
    </div>
  );
}

/** `/` leads into the search field from wherever nothing is typed. */
function useSlash(field: React.RefObject<HTMLInputElement | null>) {
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      const { target } = event;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target instanceof Element && target.closest("input, select, textarea, dialog")) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [field]);
}

function tellNumber(number: number, what: string): string {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}
