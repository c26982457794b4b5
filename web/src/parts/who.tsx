import { useEffect, useRef, useState } from "react";
import { type Session, signOut } from "../api/session.ts";
import { Icon } from "./icons.tsx";

/** Who is signed in, and the way out. */
export function Who({ session }: { session: Session }) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event) => {
      const inside = event.target instanceof Node && anchor.current?.contains(event.target);
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !inside) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, [open]);
  const { credential, user, expires_on } = session;
  return (
    <div className="menu-anchor" ref={anchor}>
      <button
        type="button"
        className="plain"
        aria-expanded={open}
        aria-label="Who is signed in"
        title="Who is signed in"
        onClick={() => setOpen(!open)}
      >
        <Icon name="person" />
      </button>
      {open && (
        <div className="menu">
          <p>
            Signed in with the {credential.type === "token" ? "token" : "key of"}{" "}
            <strong>{credential.name}</strong>
            {user && user.email !== credential.name && <> of {user.email}</>}.
          </p>
          {expires_on !== null && <p className="muted">It expires on {expires_on.slice(0, 10)}.</p>}
          <button type="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      )}
    </div>
  );
}
