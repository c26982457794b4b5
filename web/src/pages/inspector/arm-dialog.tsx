/** The form of a fault. Loaded when it is opened, as it brings the list of operations. */

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { EVERY_VENDOR_OPERATION, faultStatuses } from "../../../../src/contract/fault.ts";
import { faultTargets } from "../../../../src/contract/fault-targets.ts";
import { operations } from "../../../../src/contract/operations.ts";
import { ApiFailure, ask, sentenceOf } from "../../api/client.ts";
import { Dialog } from "../../parts/dialog.tsx";

const empty = { operation: "", status: "429", latency_ms: "", drop: "", times: "1" };
type Form = typeof empty;

export function ArmDialog({ close }: { readonly close: () => void }) {
  const [form, setForm] = useState(empty);
  const arm = useMutation({
    mutationFn: (filled: Form) => ask("/patchbay/v1/faults", { method: "PUT", body: bodyOf(filled) }),
    onSuccess: close,
  });
  const problems = arm.error instanceof ApiFailure ? arm.error.errors : [];
  const said = (member: keyof Form) =>
    problems.filter(({ source }) => source?.pointer === `/${member}`).map(({ message }) => message);
  const others = problems.filter(({ source }) => !Object.hasOwn(empty, source?.pointer?.slice(1) ?? ""));
  const list = useId();
  const field = (member: keyof Form) => ({
    value: form[member],
    onChange: ({ target }: { readonly target: { readonly value: string } }) =>
      setForm({ ...form, [member]: target.value }),
  });
  return (
    <Dialog title="Arm a fault" close={close}>
      <form
        className="arm"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          arm.mutate(form);
        }}
      >
        <Labelled
          label="Operation"
          hint="By name; empty is every operation of the vendor's."
          said={said("operation")}
        >
          {(bound) => (
            <input
              type="text"
              list={list}
              placeholder="every one of the vendor's"
              spellCheck={false}
              {...bound}
              {...field("operation")}
            />
          )}
        </Labelled>
        <datalist id={list}>
          {faultTargets.map((name) => (
            <option key={name} value={name} label={operations[name].summary} />
          ))}
        </datalist>
        <Labelled label="Answer" hint="Instead of carrying it out." said={said("status")}>
          {(bound) => (
            <select {...bound} {...field("status")}>
              <option value="">its own</option>
              {faultStatuses.map((status) => (
                <option key={status}>{status}</option>
              ))}
            </select>
          )}
        </Labelled>
        <Labelled label="Connection" hint="Not with a status." said={said("drop")}>
          {(bound) => (
            <select {...bound} {...field("drop")}>
              <option value="">stays</option>
              <option value="before">drops before it is carried out</option>
              <option value="after">drops after it was carried out</option>
            </select>
          )}
        </Labelled>
        <Labelled label="Later by" hint="Milliseconds, 1 to 60000." said={said("latency_ms")}>
          {(bound) => <input type="text" inputMode="numeric" {...bound} {...field("latency_ms")} />}
        </Labelled>
        <Labelled label="How often" hint="The next so many requests." said={said("times")}>
          {(bound) => <input type="text" inputMode="numeric" {...bound} {...field("times")} />}
        </Labelled>
        {others.map(({ code, message }) => (
          <p key={`${code} ${message}`} className="refused" role="alert">
            {message}
          </p>
        ))}
        {arm.error && problems.length === 0 && (
          <p className="refused" role="alert">
            {sentenceOf(arm.error)}
          </p>
        )}
        <p className="arm-actions">
          <button type="submit" className="primary" disabled={arm.isPending}>
            Arm
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}

/** A text that is no number goes as it is: the server says what is wrong with it. */
function bodyOf({ operation, status, latency_ms, drop, times }: Form) {
  const number = (text: string) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : text.trim());
  const target = operation.trim();
  return {
    operation: target === "" ? EVERY_VENDOR_OPERATION : target,
    ...(status !== "" && { status: Number(status) }),
    ...(drop !== "" && { drop }),
    ...(latency_ms.trim() !== "" && { latency_ms: number(latency_ms) }),
    ...(times.trim() !== "" && { times: number(times) }),
  };
}

interface Bound {
  readonly id: string;
  readonly "aria-describedby": string;
  readonly "aria-invalid": boolean;
}

interface LabelledProps {
  readonly label: string;
  readonly hint: string;
  readonly said: readonly string[];
  readonly children: (bound: Bound) => ReactNode;
}

/** A field with its label, a hint, and what the server refused of it. */
function Labelled({ label, hint, said, children }: LabelledProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-about`, "aria-invalid": said.length > 0 })}
      <span id={`${id}-about`}>
        <span className="muted">{hint}</span>
        {said.map((message) => (
          <span key={message} className="refused" role="alert">
            {message}
          </span>
        ))}
      </span>
    </div>
  );
}
