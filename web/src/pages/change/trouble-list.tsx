import type { Trouble } from "./judge.ts";

/** What is wrong at one place: the sentence, and what to do. */
export function TroubleList({
  id,
  troubles,
}: {
  readonly id: string;
  readonly troubles: readonly Trouble[];
}) {
  if (troubles.length === 0) return null;
  return (
    <ul className="trouble-list" id={id}>
      {troubles.map(({ code, message, todo }) => (
        <li key={`${code} ${message}`}>
          <strong>{message}</strong> {todo}
        </li>
      ))}
    </ul>
  );
}
