/** Arming, listing and clearing of faults, for servers that are for trying things. */

import { Checker } from "../../contract/check.ts";
import { Problems } from "../../contract/errors.ts";
import { ArmedFault, EVERY_VENDOR_OPERATION } from "../../contract/fault.ts";
import { faultTargets } from "../../contract/fault-targets.ts";
import { didYouMean } from "../../contract/similar.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { succeed } from "../envelope.ts";
import { readBody, readNoBody } from "../read-request.ts";
import { Refusal, refuse } from "../refusal.ts";
import type { Faults } from "../sandbox/faults.ts";

const checker = new Checker(ArmedFault, undefined, "Fault");

const targets: readonly string[] = [...faultTargets, EVERY_VENDOR_OPERATION];

export function addFaultRoutes(routes: Routes, { faults, log }: AppContext): void {
  routes.server("listFaults", () => {
    return { status: 200, body: succeed({ faults: inSandbox(faults).list() }) };
  });

  routes.server("armFault", async ({ request, principal }) => {
    const armed = inSandbox(faults);
    const fault = readFault(await readBody(request));
    const result = armed.arm(fault);
    log.info({ actor: principal.actor, fault }, "fault armed");
    return { status: 200, body: succeed(result) };
  });

  routes.server("disarmFault", async ({ request, params, principal }) => {
    const armed = inSandbox(faults);
    await readNoBody(request, "taking a fault away");
    const { fault: given = "" } = params;
    const result = /^[1-9]\d{0,14}$/.test(given) ? armed.disarm(Number(given)) : undefined;
    if (!result) throw refuse("fault_not_found", { given });
    log.info({ actor: principal.actor, fault: result }, "fault removed");
    return { status: 200, body: succeed(result) };
  });

  routes.server("clearFaults", async ({ request, principal }) => {
    const armed = inSandbox(faults);
    await readNoBody(request, "clearing all faults");
    armed.clear();
    log.info({ actor: principal.actor }, "faults cleared");
    return { status: 200, body: succeed({ faults: [] }) };
  });
}

function inSandbox(faults: Faults | undefined): Faults {
  if (!faults) throw refuse("not_a_sandbox");
  return faults;
}

function readFault(body: unknown): ArmedFault {
  const problems = new Problems();
  const fault = checker.read(body, "", problems);
  if (!fault) throw new Refusal(problems.list());
  const { operation, status, latency_ms, drop } = fault;
  if (!targets.includes(operation)) {
    problems.add(
      "unknown_operation",
      { given: operation, hint: didYouMean(operation, targets) },
      "/operation",
    );
  }
  if (status !== undefined && drop !== undefined) problems.add("fault_contradicts_itself", {}, "/drop");
  const effects = ["status", "latency_ms", "drop"];
  const told = problems.list().some(({ pointer }) => effects.some((name) => pointer === `/${name}`));
  if (!told && status === undefined && latency_ms === undefined && drop === undefined) {
    problems.add("fault_without_effect", {}, "");
  }
  if (problems.found) throw new Refusal(problems.list());
  return fault;
}
