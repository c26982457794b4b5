/** Faults that are armed: what they do, to what, how often still; and the way to arm more. */

import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Fault } from "../../../../src/contract/fault.ts";
import { ask, sentenceOf } from "../../api/client.ts";

const ArmDialog = lazy(async () => ({ default: (await import("./arm-dialog.tsx")).ArmDialog }));

const PATH = "/patchbay/v1/faults";
const query = queryOptions({
  queryKey: ["faults"],
  // Others arm too.
  refetchInterval: 15_000,
  queryFn: async ({ signal }) => (await ask<{ faults: readonly Fault[] }>(PATH, { signal })).result.faults,
});

/** `struck` is the number of the newest request that a fault struck. */
export function Faults({ struck }: { readonly struck: number }) {
  const client = useQueryClient();
  const { data, error } = useQuery(query);
  const [isArming, setArming] = useState(false);
  const look = () => client.invalidateQueries({ queryKey: query.queryKey });
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each that was struck, fewer are left
  useEffect(() => {
    if (struck > 0) void look();
  }, [struck]);
  const disarm = useMutation({
    mutationFn: (path: string) => ask(path, { method: "DELETE" }),
    onSettled: look,
  });
  const faults = data ?? [];
  const failure = error ?? disarm.error;
  return (
    <section className="faults" aria-labelledby="faults">
      <div className="faults-head">
        <h2 id="faults">Faults</h2>
        {data && faults.length === 0 && <p className="muted">None is armed.</p>}
        <button type="button" onClick={() => setArming(true)}>
          Arm a fault
        </button>
        {faults.length > 1 && (
          <button type="button" className="plain" onClick={() => disarm.mutate(PATH)}>
            Disarm all
          </button>
        )}
      </div>
      {failure && <p role="alert">Faults: {sentenceOf(failure)}</p>}
      {faults.length > 0 && (
        <ul className="fault-list" aria-label="Armed faults">
          {faults.map((fault) => (
            <li key={fault.id} className={fault.left === 0 ? "spent" : undefined}>
              <span className="mono">
                {fault.operation === "*" ? "all of the vendor's" : fault.operation}
              </span>
              <span>{tellEffect(fault)}</span>
              <span className="muted">
                {fault.left === 0 ? `used up after ${fault.times}` : `${fault.left} of ${fault.times} left`}
              </span>
              <button
                type="button"
                className="plain"
                aria-label={`Disarm ${tellEffect(fault)} of ${fault.operation}`}
                onClick={() => disarm.mutate(`${PATH}/${fault.id}`)}
              >
                {fault.left === 0 ? "Remove" : "Disarm"}
              </button>
            </li>
          ))}
        </ul>
      )}
      {isArming && (
        <Suspense>
          <ArmDialog
            close={() => {
              setArming(false);
              void look();
            }}
          />
        </Suspense>
      )}
    </section>
  );
}

function tellEffect({ status, latency_ms, drop }: Fault): string {
  const effects = [
    ...(status === undefined ? [] : [`answers ${status}`]),
    ...(drop === undefined ? [] : [`drops the connection ${drop} it is carried out`]),
    ...(latency_ms === undefined ? [] : [`${latency_ms} ms later`]),
  ];
  return effects.join(", ");
}
