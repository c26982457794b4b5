/** Copies a text, or where the browser does not let pages do so (HTTP from another machine), shows it to be copied. */

import { useEffect, useState } from "react";
import { Dialog } from "../../parts/dialog.tsx";

/** Milliseconds for which it is said that it was copied. */
const SAID = 2_000;

export function Copy({ label, text }: { readonly label: string; readonly text: () => string }) {
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle");
  useEffect(() => {
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("idle"), SAID);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setState("copied");
    } catch {
      setState("refused");
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {state === "copied" ? "Copied" : label}
      </button>
      {state === "refused" && (
        <Dialog title={label} close={() => setState("idle")}>
          <p>The browser does not let this page copy. Select the text and copy it.</p>
          <textarea
            className="copied mono"
            aria-label="Text to copy"
            readOnly
            rows={8}
            value={text()}
            onFocus={({ target }) => target.select()}
          />
        </Dialog>
      )}
    </>
  );
}
