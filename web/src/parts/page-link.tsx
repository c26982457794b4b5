import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface PageLinkProps {
  /** A path of the dashboard, with its query. */
  readonly href: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A link to a page of the dashboard by its address as a text. It loads nothing anew, so that a token in memory stays. */
export function PageLink({ href, className, children }: PageLinkProps) {
  const { history } = useRouter();
  return (
    <a
      href={href}
      className={className}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        history.push(href);
      }}
    >
      {children}
    </a>
  );
}
