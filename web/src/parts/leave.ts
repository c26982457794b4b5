import { useEffect, useRef } from "react";

/** Calls `leave` when Escape is pressed and nothing that is open takes it. */
export function useLeave(leave: () => void): void {
  const latest = useRef(leave);
  useEffect(() => {
    latest.current = leave;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (document.querySelector("dialog[open], [aria-expanded=true]")) return;
      // It would close a dialog that is opened by this.
      event.preventDefault();
      latest.current();
    };
    // Before others hear of it, and close what is open.
    document.addEventListener("keydown", press, { capture: true });
    return () => document.removeEventListener("keydown", press, { capture: true });
  }, []);
}
