import { ApiFailure, sentenceOf } from "../api/client.ts";
import { Message } from "./message.tsx";

/** What could not be read, or a defect of the dashboard itself. */
export function Broken({ error, reset }: { readonly error: unknown; readonly reset?: () => void }) {
  const isOurs = !(error instanceof ApiFailure);
  return (
    <Message title={isOurs ? "The dashboard made a mistake" : "This could not be read"}>
      <p role="alert">{sentenceOf(error)}</p>
      <button type="button" onClick={() => (reset ? reset() : location.reload())}>
        Try again
      </button>
    </Message>
  );
}
