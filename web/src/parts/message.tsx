import "./message.css";
import type { ReactNode } from "react";

/** In the place of a page that has nothing to show: what is the matter, and what to do. */
export function Message({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <section className="message">
      <h1>{title}</h1>
      {children}
    </section>
  );
}
