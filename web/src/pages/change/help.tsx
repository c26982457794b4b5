/** A sentence of the published schema, in which code stands between backticks. */
export function Help({ id, text }: { readonly id: string; readonly text: string }) {
  return (
    <p className="change-help" id={id}>
      {text.split("`").map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text do not move
        index % 2 === 1 ? <code key={index}>{part}</code> : part,
      )}
    </p>
  );
}
