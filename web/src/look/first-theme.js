// Before anything is painted: the theme that was chosen in this browser, or the system's. theme.ts carries on from here.
const chosen = localStorage.getItem("patchbay.theme");
const isDark =
  chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
