/** One request of a known operation, read and checked as far as is common to all. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import type { Change } from "../account/change.ts";
import type { Command, Decision } from "../account/decide.ts";
import { accountKind, type UserDoc } from "../account/directory.ts";
import type { ArmedFault } from "../contract/fault.ts";
import { LARGE_BODY_BYTES, MAX_BODY_BYTES, MAX_BODY_BYTES_UNDER_WAY } from "../contract/limits.ts";
import type { Operation } from "../contract/operation.ts";
import { type OperationName, operations } from "../contract/operations.ts";
import { didYouMean } from "../contract/similar.ts";
import { ConfigError } from "../store/config-error.ts";
import type { LiveState } from "../store/live-state.ts";
import { Away, Conflict, NotCommitted, OutcomeUnknown, Unreadable } from "../store/store.ts";
import { noteDenial } from "./audit/refusals.ts";
import {
  type Asking,
  authenticate,
  authorize,
  authorizeUser,
  everyGroup,
  type Principal,
  Tokens,
} from "./auth.ts";
import type { AppContext } from "./context.ts";
import { type Answer, fail } from "./envelope.ts";
import { KnownReads } from "./known-reads.ts";
import { Budget } from "./network/budget.ts";
import { RateCounter } from "./rate.ts";
import { Denial, Refusal, refuse } from "./refusal.ts";
import { effectOf, MARK, meet } from "./sandbox/faults.ts";
import { DROPPED, Sender } from "./sender.ts";
import { judgeCsrf, sessionOf } from "./session.ts";
import { CONFIRM_WITHIN, REVERT_ON, submitting } from "./submitting.ts";

export interface Call {
  readonly asking: Asking;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** Who asks. */
  readonly principal: Principal;
  /** The account of the path. */
  readonly account: LiveState;
  readonly request: FastifyRequest;
  /** Has the account decide a command, in the way that the request's headers ask for. */
  readonly submit: (command: Command, dry?: boolean) => Promise<Decision>;
}

/** A call of an operation that is on no account. */
export type ServerCall = Omit<Call, "account" | "submit">;

/** A call of an operation on the user who asks. */
export interface UserCall extends ServerCall {
  readonly user: { readonly id: string; readonly doc: UserDoc };
}

/** A call of an operation that looks at the credential itself. */
export interface CredentialCall extends Asking {
  readonly account: string | undefined;
  readonly path: string;
}

export type Handler<C> = (call: C) => Answer | Promise<Answer>;

declare module "fastify" {
  interface FastifyRequest {
    startedAt: number;
    operation: string;
    /** The operation that it is a request of, also where a fault strikes it. */
    asked: OperationName | undefined;
    rate: string;
    call: unknown;
    /** The change of an account's objects that the request made. */
    made: Change | undefined;
    /** Of a change that health may undo: how many interconnects are watched for it. */
    watched: number | undefined;
  }
}

const ACCOUNT = /^[0-9a-f]{32}$/;

/** Adds the routes' common parts to an instance. */
export class Routes {
  readonly #app: FastifyInstance;
  readonly #context: AppContext;
  readonly #rate: RateCounter;
  readonly #tokens = new Tokens();
  readonly #reads = new KnownReads();
  readonly #sender: Sender;
  readonly #bodies = new Budget(MAX_BODY_BYTES_UNDER_WAY);
  /** Why what requests are about could not be looked at. */
  readonly #stale = new WeakMap<IncomingMessage, unknown>();

  /** `patience`: milliseconds for a response of which the client receives nothing more. */
  constructor(app: FastifyInstance, context: AppContext, patience: number) {
    this.#app = app;
    this.#context = context;
    this.#rate = new RateCounter(context.quota);
    this.#sender = new Sender(context, this.#rate.policy, patience);
    app.decorateRequest("startedAt", 0);
    app.decorateRequest("operation", "none");
    app.decorateRequest("asked", undefined);
    app.decorateRequest("rate", "");
    app.decorateRequest("call", null);
    app.decorateRequest("made", undefined);
    app.decorateRequest("watched", undefined);
  }

  /** An operation on an account. */
  account(name: OperationName, handler: Handler<Call>): void {
    const operation: Operation = operations[name];
    this.#add(name, handler, (asking, request) => {
      const principal = this.#principal(asking, request);
      const { account_id: id = "" } = request.params as Record<string, string>;
      const account = this.#context.accounts.get(id);
      if (account || ACCOUNT.test(id))
        authorize(principal, operation.groups, id, this.#context.accounts.directory.state);
      // It was removed from memory after the check that loaded it.
      if (!account && this.#context.accounts.directory.state.get(accountKind.name, id))
        throw refuse("store_away");
      // A token for all accounts may name one that does not exist.
      if (!account) throw refuse("not_routable", { path: request.url.split("?", 1)[0] ?? "" });
      const call = Object.assign(serverCall(asking, request, operation, principal), { account });
      return Object.assign(call, { submit: submitting(call, operation, this.#context) });
    });
  }

  /** An operation on the server as a whole. */
  server(name: OperationName, handler: Handler<ServerCall>): void {
    this.#add(name, handler, (asking, request, operation) => {
      const principal = this.#principal(asking, request);
      authorize(principal, operation.groups, undefined, this.#context.accounts.directory.state);
      return serverCall(asking, request, operation, principal);
    });
  }

  /** An operation on the user who asks. */
  user(name: OperationName, handler: Handler<UserCall>): void {
    this.#add(name, handler, (asking, request, operation) => {
      const principal = this.#principal(asking, request);
      const user = authorizeUser(principal, operation.groups, this.#context.accounts.directory.state);
      return { ...serverCall(asking, request, operation, principal), user };
    });
  }

  /** An operation that takes no more than a credential in force. */
  holder(name: OperationName, handler: Handler<ServerCall>): void {
    this.#add(name, handler, (asking, request, operation) =>
      serverCall(asking, request, operation, this.#principal(asking, request)),
    );
  }

  /** An operation that looks at the credential itself, in force or not. */
  credential(name: OperationName, handler: Handler<CredentialCall>): void {
    this.#add(name, handler, (asking, request, operation) => {
      readQuery(request, operation);
      const { account_id: account } = request.params as Record<string, string | undefined>;
      return { ...asking, account, path: request.url.split("?", 1)[0] ?? "" };
    });
  }

  /** Throws if the credential of a call that was kept waiting may no longer ask this of the account, or of the server. */
  recheck(name: OperationName, { asking }: ServerCall, account: string | undefined): void {
    const directory = this.#context.accounts.directory.state;
    const principal = authenticate({ ...asking, now: this.#context.clock.now() }, directory, this.#tokens);
    authorize(principal, operations[name].groups, account, directory);
  }

  /** The request cannot be answered: memory may be old, and the store was not to be reached. */
  noteStale(request: IncomingMessage, error: unknown): void {
    this.#stale.set(request, error);
  }

  #asking(raw: IncomingMessage): Asking {
    const { clock, ingress } = this.#context;
    const session = sessionOf(raw, ingress);
    return { headers: raw.headers, session, address: ingress.addressOf(raw), now: clock.now() };
  }

  /** May the credential of a request do anything in an account, and has it any of its quota left? */
  isAdmitted(raw: IncomingMessage, account: string): boolean {
    const directory = this.#context.accounts.directory.state;
    try {
      const asking = this.#asking(raw);
      const principal = authenticate(asking, directory, this.#tokens);
      authorize(principal, everyGroup, account, directory);
      return this.#rate.admits(principal.actor.id, asking.now);
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  #principal(asking: Asking, request: FastifyRequest): Principal {
    const principal = authenticate(asking, this.#context.accounts.directory.state, this.#tokens);
    const { id } = principal.actor;
    request.rate = this.#rate.count(id, asking.now);
    this.#rate.judge(id, asking.now);
    judgeCsrf(request.method, asking);
    return principal;
  }

  #add<C>(
    name: OperationName,
    handler: Handler<C>,
    prepare: (asking: Asking, request: FastifyRequest, operation: Operation) => C,
  ): void {
    const operation: Operation = operations[name];
    const prepared = (request: FastifyRequest): C => {
      request.operation = name;
      request.asked = name;
      const { headers, raw } = request;
      if (this.#stale.has(raw)) throw this.#stale.get(raw);
      const waits = headers[CONFIRM_WITHIN] !== undefined || headers[REVERT_ON] !== undefined;
      if (operation.method !== "GET" && !operation.confirmable && waits)
        throw refuse("not_confirmable", { operation: name, why: "it changes no objects of an account" });
      return prepare(this.#asking(raw), request, operation);
    };
    // Before the body is read: who may not ask has nothing to send.
    const onRequest: onRequestHookHandler = (request, reply, done) => {
      try {
        request.call = prepared(request);
        this.#admitBody(request, reply);
        done();
      } catch (error) {
        this.answer(request, reply, this.refusal(request, error));
      }
    };
    const early = operation.method !== "GET";
    const { faults } = this.#context;
    this.#app.route({
      method: operation.method,
      url: operation.path,
      ...(early && { onRequest }),
      handler: (request, reply) => {
        try {
          const call = early ? (request.call as C) : prepared(request);
          const fault = faults?.take(name);
          const answer = fault ? this.#strike(fault, request, reply, () => handler(call)) : handler(call);
          if (answer instanceof Promise) {
            reply.hijack();
            answer.then(
              (value) => this.answer(request, reply, value),
              (error) => this.answer(request, reply, this.refusal(request, error)),
            );
          } else {
            this.answer(request, reply, answer);
            if (answer.of) this.#remember(request, name, answer);
          }
        } catch (error) {
          this.answer(request, reply, this.refusal(request, error));
        }
      },
    });
  }

  /** Throws if a large body does not fit beside those under way. One of unknown length may be as long as any. */
  #admitBody({ raw }: FastifyRequest, reply: FastifyReply): void {
    const bytes =
      raw.headers["transfer-encoding"] === undefined
        ? Number(raw.headers["content-length"] ?? 0)
        : MAX_BODY_BYTES;
    // One that is longer is refused without being read.
    if (bytes <= LARGE_BODY_BYTES || bytes > MAX_BODY_BYTES) return;
    if (!this.#bodies.hold(bytes, reply.raw)) throw refuse("too_much_under_way");
  }

  #remember({ raw, params }: FastifyRequest, name: OperationName, answer: Answer): void {
    const account = this.#context.accounts.get((params as Record<string, string>)["account_id"] ?? "");
    if (!account || !answer.of) return;
    const { state } = account;
    const slot = state.slotFor(answer.of.kind, answer.of.entry.id);
    const lines = this.#sender.linesOf(answer);
    const weakly = { account: new WeakRef(account), state: new WeakRef(state) };
    this.#reads.remember(raw, { name, ...weakly, slot, version: answer.of.entry, answer, lines });
  }

  /** Answers a read that was answered before and is the same. False if it takes the long way, untouched. */
  answerKnown(raw: IncomingMessage, response: ServerResponse): boolean {
    const found = this.#reads.find(raw);
    if (!found || this.#stale.has(raw)) return false;
    const { known, account } = found;
    const { state } = account;
    // The account may have left memory, or been deleted.
    if (this.#context.accounts.get(state.id) !== account) return false;
    const startedAt = performance.now();
    const { method = "", url = "" } = raw;
    const { name, answer } = known;
    if (this.#context.faults?.isArmed(name)) return false;
    const asking = this.#asking(raw);
    const directory = this.#context.accounts.directory.state;
    let rate: string;
    try {
      this.#context.ingress.check(raw);
      const principal = authenticate(asking, directory, this.#tokens);
      authorize(principal, operations[name].groups, state.id, directory);
      if (!this.#rate.admits(principal.actor.id, asking.now)) return false;
      rate = this.#rate.count(principal.actor.id, asking.now);
    } catch {
      return false;
    }
    const id = this.#context.newRequestId();
    const exchange = {
      id,
      raw,
      method,
      url,
      ip: asking.address,
      startedAt,
      operation: name,
      asked: name,
      rate,
      made: undefined,
      watched: undefined,
    };
    this.#sender.send(exchange, response, answer, known.lines);
    return true;
  }

  /** Lets a fault strike a request. What it does is counted apart from what really happens. */
  async #strike(
    fault: ArmedFault,
    request: FastifyRequest,
    reply: FastifyReply,
    act: () => Answer | Promise<Answer>,
  ): Promise<Answer> {
    const answer = await meet(fault, {
      carryOut: async () => {
        try {
          return await act();
        } catch (error) {
          return this.refusal(request, error);
        }
      },
      path: request.url.split("?", 1)[0] ?? "",
      docs: this.#context.ingress.baseOf(request.raw),
      closing: this.#context.closing,
    });
    request.operation = "fault";
    if (answer) return answer;
    reply.raw.destroy();
    return { status: DROPPED, body: "", headers: { [MARK]: effectOf(fault) } };
  }

  /** What goes before every route. False if the request is answered with that. */
  begin(request: FastifyRequest, reply: FastifyReply): boolean {
    request.startedAt = performance.now();
    request.operation = "none";
    request.asked = undefined;
    request.rate = "";
    request.made = undefined;
    request.watched = undefined;
    try {
      this.#context.ingress.check(request.raw);
      return true;
    } catch (error) {
      this.answer(request, reply, this.refusal(request, error));
      return false;
    }
  }

  /** The answer to whatever went wrong. What the store says of it goes to the log alone: it names hosts, users and files. */
  refusal(request: FastifyRequest, error: unknown): Answer {
    const docs = this.#context.ingress.baseOf(request.raw);
    if (error instanceof Denial) noteDenial(this.#context, request, error);
    if (error instanceof Refusal) {
      const answer = fail(error.problems, docs);
      return { ...answer, headers: { ...answer.headers, ...error.headers } };
    }
    if (error instanceof NotCommitted || error instanceof OutcomeUnknown || error instanceof Conflict) {
      this.#context.log.error({ err: error, request_id: request.id }, "commit failed");
      const name = error instanceof OutcomeUnknown ? "outcome_unknown" : "store_unavailable";
      return fail(refuse(name).problems, docs);
    }
    if (error instanceof Away || error instanceof ConfigError) {
      const why =
        error instanceof Away ? "the database is unavailable" : "the data set may not be served here";
      this.#context.log.error({ err: error, request_id: request.id }, why);
      return fail(refuse("store_away").problems, docs);
    }
    if (error instanceof Unreadable) {
      this.#context.log.error({ err: error, request_id: request.id }, "the store cannot be read");
      return fail(refuse("store_unreadable").problems, docs);
    }
    this.#context.log.error(
      { err: error, request_id: request.id, operation: request.operation },
      "internal error",
    );
    return fail(refuse("internal_error", { request: request.id }).problems, docs);
  }

  /** Answers a request. */
  answer(request: FastifyRequest, reply: FastifyReply, answer: Answer): void {
    reply.hijack();
    this.#sender.send(request, reply.raw, answer);
  }
}

function serverCall(
  asking: Asking,
  request: FastifyRequest,
  operation: Operation,
  principal: Principal,
): ServerCall {
  const params = request.params as Record<string, string>;
  return { asking, params, query: readQuery(request, operation), requestId: request.id, principal, request };
}

/** The query, which must be of known parameters, each once but for lists; those are read by who takes them. */
function readQuery(request: FastifyRequest, operation: Operation): Readonly<Record<string, string>> {
  const query = request.query as Record<string, string | string[]>;
  for (const name in query) {
    const value = query[name];
    if (!operation.query.includes(name)) {
      throw refuse("unknown_query", { name, hint: didYouMean(name, operation.query) });
    }
    if (typeof value !== "string" && !operation.lists?.includes(name))
      throw refuse("invalid_query", { name, given: "there more than once", expected: "there once" });
  }
  return query as Record<string, string>;
}
