/** Where an arrow leads among things that lie in a grid, by the middle of each; none if it leads out of it. */
export function neighbour(
  key: string,
  from: number,
  places: readonly { readonly x: number; readonly y: number }[],
): number | undefined {
  const at = places[from];
  if (!at) return undefined;
  if (key === "ArrowRight" || key === "j") return from + 1 < places.length ? from + 1 : undefined;
  if (key === "ArrowLeft" || key === "k") return from > 0 ? from - 1 : undefined;
  if (key === "Home") return 0;
  if (key === "End") return places.length - 1;
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const sign = key === "ArrowDown" ? 1 : -1;
  let best: { readonly index: number; readonly far: number; readonly aside: number } | undefined;
  for (const [index, { x, y }] of places.entries()) {
    const far = (y - at.y) * sign;
    if (far < 2) continue;
    const aside = Math.abs(x - at.x);
    if (!best || far < best.far - 2 || (far < best.far + 2 && aside < best.aside))
      best = { index, far, aside };
  }
  return best?.index;
}
