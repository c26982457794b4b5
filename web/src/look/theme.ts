/** Light or dark: as the system says, unless it was chosen here. The choice is kept in this browser. */

export type Theme = "light" | "dark";
export type ThemeChoice = Theme | "system";

const KEY = "patchbay.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

export function themeChoice(): ThemeChoice {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function currentTheme(): Theme {
  const choice = themeChoice();
  if (choice !== "system") return choice;
  return dark.matches ? "dark" : "light";
}

export function chooseTheme(choice: ThemeChoice): void {
  if (choice === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, choice);
  apply();
}

/** For `useSyncExternalStore`. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function apply(): void {
  document.documentElement.dataset["theme"] = currentTheme();
  for (const listener of listeners) listener();
}

dark.addEventListener("change", apply);
// Another tab chose.
addEventListener("storage", ({ key }) => {
  if (key === KEY) apply();
});
apply();
