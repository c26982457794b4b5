export function Overview() {
  return <h1>Interconnects</h1>;
}
