import "./toolbar.css";
import { type RefObject, useEffect, useEffectEvent, useState } from "react";
import { Icon } from "./icons.tsx";

/** Milliseconds after the last key until it is searched. */
const TYPING = 150;

interface SearchFieldProps {
  /** As the address says. */
  readonly q: string;
  readonly search: (q: string) => void;
  readonly placeholder: string;
  readonly field: RefObject<HTMLInputElement | null>;
  /** From the field into the rows. */
  readonly toRows: () => void;
}

export function SearchField({ q, search, placeholder, field, toRows }: SearchFieldProps) {
  const [text, setText] = useState(q);
  const [told, setTold] = useState(q);
  if (told !== q) {
    // The address changed by itself: somebody went back.
    setTold(q);
    if (q !== text.trim()) setText(q);
  }
  const searchNow = useEffectEvent(search);
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(() => searchNow(text.trim()), TYPING);
    return () => clearTimeout(timer);
  }, [text, q]);
  return (
    <div className="search-field">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        aria-label="Search"
        placeholder={placeholder}
        spellCheck={false}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== "ArrowDown" && event.key !== "Escape") return;
          event.preventDefault();
          if (event.key === "Escape" && text !== "") return setText("");
          toRows();
        }}
      />
      <span className="key">/</span>
    </div>
  );
}

/** The button that tells which keys there are. */
export function HelpButton({ help }: { readonly help: () => void }) {
  return (
    <button
      type="button"
      className="plain help-button"
      title="Keyboard (?)"
      aria-label="Keyboard"
      onClick={help}
    >
      <Icon name="help" />
    </button>
  );
}
