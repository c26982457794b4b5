import { Dialog } from "../../parts/dialog.tsx";

const keys = [
  [["j", "↓"], "next row"],
  [["k", "↑"], "row before"],
  [["PgDn", "PgUp"], "ten rows on, or back"],
  [["Home", "End"], "first row, last row"],
  [["Enter"], "open the interconnect"],
  [["x", "Space"], "select the row, or not"],
  [["Esc"], "select nothing"],
  [["/"], "search"],
  [["?"], "this help"],
] as const;

export function KeysHelp({ close }: { readonly close: () => void }) {
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
