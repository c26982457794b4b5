import { tellAge } from "../../parts/time.ts";
import { type Edge, standingOf, standingWords } from "./panels.ts";

/** All edges that ever reported: where they are, whether they are heard of, and how far they are. */
export function Edges({ edges, now }: { readonly edges: readonly Edge[]; readonly now: number }) {
  if (edges.length === 0)
    return (
      <p className="edge-list muted">
        No edge reports: states are unknown until <code>patchbay edge</code> runs somewhere for this account.
      </p>
    );
  return (
    <ul className="edge-list" aria-label="Edges">
      {edges.map((one) => {
        const { edge, site, role, stale, seen_on } = one;
        const standing = standingOf(one);
        return (
          <li key={edge} className={`edge-chip ${standing}`}>
            <span className="edge-name">{edge}</span>{" "}
            <span className="muted">
              {role} at {site}
            </span>{" "}
            {stale ? `silent for ${tellAge(seen_on, now)}` : standingWords[standing]}
          </li>
        );
      })}
    </ul>
  );
}
