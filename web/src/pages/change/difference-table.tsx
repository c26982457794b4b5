import "./differences.css";

export interface ShownDifference {
  readonly key: string;
  readonly label: string;
  /** In words. */
  readonly before: string;
  readonly after: string;
  /** Something to be said of it in a word. */
  readonly tag?: string | undefined;
}

export interface DifferencesOf {
  readonly key: string;
  readonly name: string;
  readonly tag?: string | undefined;
  readonly fields: readonly ShownDifference[];
}

/** Field by field, before and after, one object below the other. */
export function DifferenceTable({ objects }: { readonly objects: readonly DifferencesOf[] }) {
  return (
    <table className="differences">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      {objects.map(({ key, name, tag, fields }) => (
        <tbody key={key}>
          <tr className="of">
            <th scope="rowgroup" colSpan={3}>
              {name} {tag !== undefined && <span className="change-tag">{tag}</span>}
            </th>
          </tr>
          {fields.map((field) => (
            <tr key={field.key}>
              <th scope="row">
                {field.label} {field.tag !== undefined && <span className="change-tag">{field.tag}</span>}
              </th>
              <td className="mono before">{field.before}</td>
              <td className="mono after">
                <span aria-hidden="true">→ </span>
                {field.after}
              </td>
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  );
}
