import { Dialog } from "../../parts/dialog.tsx";

const keys = [
  [["j", "↓"], "the change before in time"],
  [["k", "↑"], "the change after"],
  [["PgDn", "PgUp"], "ten on, or back"],
  [["Home", "End"], "the newest, the oldest that is shown"],
  [["Enter"], "open the change; j and k then open others"],
  [["x", "Space"], "mark it, or not"],
  [["d"], "compare the two that are marked"],
  [["Esc"], "close what is open"],
  [["/"], "search"],
  [["?"], "this help"],
] as const;

export function KeysHelp({ close }: { readonly close: () => void }) {
  return (
    <Dialog title="Keyboard" close={close}>
      <dl className="history-keys">
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
