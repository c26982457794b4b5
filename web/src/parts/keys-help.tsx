import "./keys-help.css";
import { Dialog } from "./dialog.tsx";

/** Names of keys that do the same, and what that is. */
export type KeyMeaning = readonly [names: readonly string[], what: string];

interface KeysHelpProps {
  readonly keys: readonly KeyMeaning[];
  readonly close: () => void;
}

export function KeysHelp({ keys, close }: KeysHelpProps) {
  return (
    <Dialog title="Keyboard" close={close}>
      <dl className="keys-help">
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
