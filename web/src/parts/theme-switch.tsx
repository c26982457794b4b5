import { useSyncExternalStore } from "react";
import { chooseTheme, onTheme, type ThemeChoice, themeChoice } from "../look/theme.ts";
import { Icon } from "./icons.tsx";

const next = { system: "light", light: "dark", dark: "system" } as const;
const icons = { system: "screen", light: "sun", dark: "moon" } as const;
const names: Readonly<Record<ThemeChoice, string>> = {
  system: "as the system",
  light: "light",
  dark: "dark",
};

/** Goes round: as the system, light, dark. */
export function ThemeSwitch() {
  const choice = useSyncExternalStore(onTheme, themeChoice);
  const label = `Theme: ${names[choice]}. Switch to ${names[next[choice]]}`;
  return (
    <button
      type="button"
      className="plain"
      title={label}
      aria-label={label}
      onClick={() => chooseTheme(next[choice])}
    >
      <Icon name={icons[choice]} />
    </button>
  );
}
