/** One request and its answer: headers, bodies with what was wrong in them, and the request as a line to repeat it. */

import { useId, useMemo } from "react";
import type { SeenBody, SeenRequest } from "../../../../src/contract/inspector.ts";
import { Icon } from "../../parts/icons.tsx";
import { tellTime } from "../../parts/time.ts";
import { Copy } from "./copy.tsx";
import { curlOf } from "./curl.ts";
import { type Mark, markJson } from "./marked-json.ts";
import { StatusMark } from "./status-mark.tsx";
import { tellBytes, tellDuration } from "./words.ts";

interface DetailProps {
  /** None if it is not, or no longer, among those that are kept. */
  readonly request: SeenRequest | undefined;
  readonly isRead: boolean;
  readonly number: string;
  readonly close: () => void;
}

export function Detail({ request, isRead, number, close }: DetailProps) {
  const heading = useId();
  return (
    <section className="detail" aria-labelledby={heading}>
      <div className="detail-head">
        <h2 id={heading}>Request {number}</h2>
        {request && <Copy label="Copy as curl" text={() => curlOf(request, location.origin)} />}
        <button type="button" className="plain" aria-label="Close the request" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {request ? (
        <Shown request={request} />
      ) : (
        isRead && <p className="muted">It is no longer kept: a server keeps its last 200 requests.</p>
      )}
    </section>
  );
}

function Shown({ request: seen }: { readonly request: SeenRequest }) {
  const { method, path, operation, time, duration_ms, fault, request, response, problems, ignored } = seen;
  const marks = useMemo(
    () => [
      ...problems.map(({ code, message, source }): Mark => {
        return { kind: "problem", pointer: source?.pointer ?? "", text: `${code} ${message}` };
      }),
      ...(ignored ?? []).map((pointer): Mark => {
        return { kind: "ignored", pointer, text: "read-only: nothing was taken from it" };
      }),
    ],
    [problems, ignored],
  );
  return (
    <>
      <p className="line mono">
        <strong>{method}</strong> {path}
      </p>
      <dl className="facts">
        <div>
          <dt>Status</dt>
          <dd>
            <StatusMark request={seen} />
          </dd>
        </div>
        <div>
          <dt>Took</dt>
          <dd>{tellDuration(duration_ms)}</dd>
        </div>
        <div>
          <dt>Answered</dt>
          <dd>{tellTime(time)}</dd>
        </div>
        <div>
          <dt>Operation</dt>
          <dd>{operation ?? <span className="muted">none: the path names nothing</span>}</dd>
        </div>
        {fault !== null && (
          <div>
            <dt>Fault</dt>
            <dd>{fault}</dd>
          </div>
        )}
      </dl>
      <Side title="Request" headers={request.headers} body={request.body} marks={marks} isOpen />
      <Side title="Answer" headers={response.headers} body={response.body} marks={[]} />
    </>
  );
}

interface SideProps {
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: SeenBody | null;
  readonly marks: readonly Mark[];
  /** Are headers shown without being asked for? */
  readonly isOpen?: boolean;
}

function Side({ title, headers, body, marks, isOpen = false }: SideProps) {
  return (
    <section className="side" aria-label={title}>
      <h3>{title}</h3>
      <details open={isOpen}>
        <summary>
          Headers <span className="muted">{Object.keys(headers).length}</span>
        </summary>
        <dl className="headers mono">
          {Object.entries(headers).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
      <Body body={body} marks={marks} />
    </section>
  );
}

function Body({ body, marks }: Pick<SideProps, "body" | "marks">) {
  const text = body?.text ?? undefined;
  const marked = useMemo(() => (text === undefined ? undefined : markJson(text, marks)), [text, marks]);
  const others = marked ? marked.others : marks;
  return (
    <>
      {others.map((mark) => (
        <MarkNote key={`${mark.pointer} ${mark.text}`} mark={mark} />
      ))}
      {body === null && <p className="muted">No body.</p>}
      {body !== null && (
        <>
          {text !== undefined && (
            <pre className="body mono">
              {marked
                ? marked.lines.map(({ text: line, marks: said }, place) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a text stay where they are
                    <span key={place} className={lookOf(said)}>
                      {line}
                      {"\n"}
                      {said.map((mark) => (
                        <MarkNote key={mark.text} mark={mark} />
                      ))}
                    </span>
                  ))
                : text}
            </pre>
          )}
          <p className="muted">
            {tellBytes(body.bytes)}
            {text === undefined && ", and no text"}
            {text !== undefined && !marked && text.length < body.bytes && ", of which the beginning was kept"}
            {marked && ", shown with line breaks of its own"}
          </p>
        </>
      )}
    </>
  );
}

function lookOf(marks: readonly Mark[]): string | undefined {
  if (marks.length === 0) return undefined;
  return marks.every(({ kind }) => kind === "ignored") ? "marked ignored" : "marked";
}

function MarkNote({ mark: { kind, pointer, text } }: { readonly mark: Mark }) {
  return (
    <span className={`mark-note ${kind}`}>
      <strong>{kind === "problem" ? "▲" : "○"}</strong> {pointer !== "" && <code>{pointer}</code>} {text}
    </span>
  );
}
