import "./panel.css";
import { type ReactNode, useId } from "react";
import { Icon } from "../../parts/icons.tsx";

interface PanelProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ReactNode;
}

/** What is open beside the timeline, or instead of it where it is narrow. */
export function Panel({ title, close, children }: PanelProps) {
  const heading = useId();
  return (
    <section className="panel-beside" aria-labelledby={heading}>
      <div className="panel-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" className="plain" aria-label="Close" title="Close (Esc)" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </section>
  );
}
