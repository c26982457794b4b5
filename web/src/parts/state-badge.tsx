import "./state-badge.css";
import type { ShownState } from "../../../src/contract/health.ts";

/** Each state has a shape of its own: colours alone tell nothing to many. */
const shapes: Readonly<Record<ShownState, string>> = {
  healthy: "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1",
  degraded: "M6 .8 11.6 10.800H.4Z",
  down: "M1.5 0 6 4.5 10.5 0 12 1.5 7.5 6 12 10.5 10.5 12 6 7.5 1.5 12 0 10.5 4.5 6 0 1.500Z",
  unknown: "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1M6 2.600a3.4 3.4 0 1 1 0 6.8 3.4 3.4 0 0 1 0-6.8",
};

export function StateShape({ state }: { readonly state: ShownState }) {
  return (
    <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
      <path d={shapes[state]} fill="currentColor" fillRule="evenodd" />
    </svg>
  );
}

export function StateBadge({ state, title }: { readonly state: ShownState; readonly title?: string }) {
  return (
    <span className={`state-badge ${state}`} title={title}>
      <StateShape state={state} />
      {state}
    </span>
  );
}
