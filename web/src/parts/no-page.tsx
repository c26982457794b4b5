import { Link } from "@tanstack/react-router";
import { Message } from "./message.tsx";

export function NoPage() {
  return (
    <Message title="There is no such page">
      <p>
        The address may be of another version. <Link to="/">Go to the interconnects</Link>.
      </p>
    </Message>
  );
}
