/** The way as a picture: the provider's side, the customer's, and one inside the other what runs between them. */

import "./way-picture.css";
import type { ReactNode } from "react";
import type { Interconnect } from "../../api/account.ts";
import type { Check, Ends, Socket, Way } from "./way.ts";

interface Pipe {
  readonly look: "link" | "gre" | "interface";
  readonly title: string;
  readonly about: string;
  readonly ends: readonly Ends[];
}

/** What runs inside of what, outside first. */
function pipesOf({ cni, link, gre, interface4, interface6 }: Way, { mtu }: Interconnect): readonly Pipe[] {
  const mode = cni?.mode === undefined ? "" : `, ${cni.mode}`;
  return [
    ...(link || cni
      ? [
          {
            look: "link" as const,
            title: cni ? "CNI" : "Link",
            about: cni ? `${cni.id}${mode}` : "not made by the CNI API",
            ends: link ? [link] : [],
          },
        ]
      : []),
    ...(gre ? [{ look: "gre" as const, title: "GRE", about: "over IPv4, protocol 47", ends: [gre] }] : []),
    {
      look: "interface",
      title: "Interface",
      about: `packets of up to ${mtu} bytes`,
      ends: interface6 ? [interface4, interface6] : [interface4],
    },
  ];
}

export function WayPicture({
  way,
  interconnect,
}: {
  readonly way: Way;
  readonly interconnect: Interconnect;
}) {
  const asn = interconnect.bgp?.customer_asn;
  const prefixes = interconnect.bgp?.extra_prefixes ?? [];
  return (
    <div className="way panel">
      <div className="side provider">
        <h3>Provider</h3>
        {way.sockets.map((socket) => (
          <SocketBox key={socket.title} socket={socket} />
        ))}
        {!way.isTold && (
          <p className="box muted">What it runs over is not shown: the token needs Patchbay Read.</p>
        )}
        {way.isTold && way.sockets.length === 0 && (
          <p className="box muted">No port is known: it was not made by the CNI API.</p>
        )}
      </div>
      <div className="pipes">
        <Pipes pipes={pipesOf(way, interconnect)} check={way.check} />
      </div>
      <div className="side customer">
        <h3>Customer</h3>
        <div className="box">
          <p className="box-name">Router</p>
          <dl>
            {asn !== undefined && (
              <div>
                <dt>AS</dt>
                <dd>{asn}</dd>
              </div>
            )}
            {prefixes.length > 0 && (
              <div>
                <dt>Announced to it</dt>
                <dd>{prefixes.length === 1 ? prefixes[0] : `${prefixes.length} prefixes`}</dd>
              </div>
            )}
          </dl>
          {asn === undefined && <p className="muted">No BGP session</p>}
        </div>
      </div>
    </div>
  );
}

function SocketBox({ socket }: { readonly socket: Socket }) {
  return (
    <div className="box">
      <p className="muted">{socket.title}</p>
      <p className="box-name">{socket.name}</p>
      <dl>
        {socket.facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** One inside the other, and the check innermost. */
function Pipes({ pipes, check }: { readonly pipes: readonly Pipe[]; readonly check: Check }) {
  const [outermost, ...inside] = pipes;
  if (!outermost) return <CheckArrow check={check} />;
  return (
    <PipeBox pipe={outermost}>
      <Pipes pipes={inside} check={check} />
    </PipeBox>
  );
}

function PipeBox({ pipe, children }: { readonly pipe: Pipe; readonly children: ReactNode }) {
  const { look, title, about, ends } = pipe;
  return (
    <div className={`pipe ${look}`}>
      <p className="pipe-title">
        <strong>{title}</strong> <span className="muted">{about}</span>
      </p>
      {ends.map(({ provider, customer }) => (
        <p className="ends mono" key={provider}>
          <span>{provider}</span>
          <span className="wire" aria-hidden="true" />
          <span className="visually-hidden"> to </span>
          <span>{customer ?? <span className="muted">not told</span>}</span>
        </p>
      ))}
      {children}
    </div>
  );
}

function CheckArrow({ check }: { readonly check: Check }) {
  if (!check.enabled)
    return (
      <div className="check off">
        <p className="pipe-title">
          <strong>Health check</strong> <span className="muted">off</span>
        </p>
      </div>
    );
  return (
    <div className="check">
      <p className="pipe-title">
        <strong>Health check</strong>{" "}
        <span className="muted">
          {check.packet}, {check.rate} rate
        </span>
      </p>
      <p className="ends mono">
        <span>{check.source}</span>
        <Arrow returns={check.returns} />
        <span className="visually-hidden"> probes </span>
        <span>{check.target === "" ? <span className="muted">not known</span> : check.target}</span>
      </p>
      <p className="check-note muted">
        {check.targetIs !== undefined && `The target is ${check.targetIs}. `}
        {check.returns === "any way"
          ? "The answer may come back any way."
          : "The answer comes back through the interconnect."}
      </p>
    </div>
  );
}

/** To the target, and back below it: through the interconnect as a line, any other way dashed. */
function Arrow({ returns }: Pick<Check, "returns">) {
  return (
    <span className={`arrow ${returns === "any way" ? "loose" : "tight"}`} aria-hidden="true">
      <i className="there" />
      <i className="back" />
    </span>
  );
}
