/** Every field with its value, what it means, and who set it last, when and why. */

import { fieldWords } from "../../../../src/contract/interconnect-words.ts";
import type { Interconnect } from "../../api/account.ts";
import { sentenceOf } from "../../api/client.ts";
import { PageLink } from "../../parts/page-link.tsx";
import { tellAge, tellTime, useNow } from "../../parts/time.ts";
import { Words } from "../../parts/words.tsx";
import type { BlameOf, Setter } from "./blame.ts";
import { type Field, groupsOf } from "./fields.ts";

interface SettingsProps {
  readonly account: string;
  readonly interconnect: Interconnect;
  /** None where the token may not read the log. */
  readonly blame: BlameOf | undefined;
}

export function Settings({ account, interconnect, blame }: SettingsProps) {
  const now = useNow(30_000);
  return (
    <section aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      <table className="panel fields">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
            <th scope="col">Set last</th>
          </tr>
        </thead>
        {groupsOf(interconnect).map(({ title, fields }) => (
          <tbody key={title}>
            <tr className="group">
              <th scope="rowgroup" colSpan={3}>
                {title}
              </th>
            </tr>
            {fields.map((field) => (
              <tr key={field.path}>
                <th scope="row">
                  <span className="mono">{field.path}</span>
                  {fieldWords[field.path] && (
                    <span className="explained">
                      <Words text={fieldWords[field.path]?.description ?? ""} />
                    </span>
                  )}
                </th>
                <td className="mono value">{tellValue(field)}</td>
                <td className="setter">
                  <SetBy field={field} account={account} blame={blame} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
      {blame?.further && !blame.isReading && (
        <p className="further">
          Looked back to revision {blame.reached}.{" "}
          <button type="button" onClick={blame.further}>
            Look further back
          </button>
        </p>
      )}
      {blame?.error != null && <p role="alert">Who set what could not be read. {sentenceOf(blame.error)}</p>}
      {!blame && (
        <p className="muted further">The token may not read who set what: it needs Patchbay Read.</p>
      )}
    </section>
  );
}

/** The most members of a list that are shown. */
const MOST_SHOWN = 20;

function tellValue({ value }: Field) {
  if (value === "") return <span className="muted">empty</span>;
  if (!Array.isArray(value)) return String(value);
  if (value.length === 0) return <span className="muted">none</span>;
  const more = value.length - MOST_SHOWN;
  return value.slice(0, MOST_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

interface SetByProps {
  readonly field: Field;
  readonly account: string;
  readonly blame: BlameOf | undefined;
  readonly now: number;
}

function SetBy({ field, account, blame, now }: SetByProps) {
  if (!field.isSet || !blame) return null;
  const setter = blame.setters.get(field.blamed);
  if (!setter) {
    if (blame.isReading) return <span className="muted">…</span>;
    if (blame.error != null || blame.reached === undefined) return null;
    return <span className="muted">before revision {blame.reached}</span>;
  }
  const { revision, time, operation } = setter;
  const reason = tellWhy(setter);
  const isSeed = operation === "seed";
  return (
    <>
      <span>
        {isSeed ? "From the start" : <strong>{tellWho(setter)}</strong>}{" "}
        <time className="muted" dateTime={time} title={tellTime(time)}>
          {tellAge(time, now)} ago
        </time>
        {" · "}
        <PageLink href={`/dashboard/${account}/history?change=${revision}`}>revision {revision}</PageLink>
      </span>
      {reason !== undefined && <span className="reason">{reason}</span>}
    </>
  );
}

function tellWho({ actor }: Setter): string {
  return actor.type === "system" ? "Patchbay" : actor.name || actor.id;
}

function tellWhy({ reason, reverts, restores }: Setter): string | undefined {
  const undone =
    reverts === undefined
      ? restores === undefined
        ? undefined
        : `back to revision ${restores}`
      : `undid revision ${reverts}`;
  return [undone, reason].filter((part) => part !== undefined).join(": ") || undefined;
}
