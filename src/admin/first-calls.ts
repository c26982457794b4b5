/** The calls that turn an empty server into one with an account and an interconnect. */

import { randomUUID } from "node:crypto";
import { permissionGroups } from "../contract/permissions.ts";

export interface FirstCall {
  readonly what: string;
  readonly method: "POST" | "PUT";
  readonly path: string;
  /** A line for a shell in which `TOKEN` is set. */
  readonly line: string;
}

/** Where `patchbay serve` answers unless told otherwise. */
export const SERVER = "http://127.0.0.1:8787";

/** Five calls that fill an empty server, in this order. `account` is the id of the account to be made. */
export function firstCalls(account: string): readonly FirstCall[] {
  const own = "/patchbay/v1/accounts";
  const vendor = `/client/v4/accounts/${account}`;
  return [
    call("an account", "POST", own, { id: account, name: "My network" }),
    call(
      "its settings: the addresses that the links and interfaces of its interconnects are made of",
      "PUT",
      `${own}/${account}/settings`,
      { flags: [], pools: { link: ["198.18.0.0/24"], interface: ["10.200.0.0/24"] } },
    ),
    call(
      "a slot: a port of the edge, for automation to take with POST …/cni/interconnects",
      "POST",
      `${own}/${account}/slots`,
      {
        id: randomUUID(),
        site: "LAB1",
        speed: "10G",
        facility: { name: "My laboratory", address: ["1 Example Street"] },
      },
    ),
    call(
      "a token for automation, which may read and change interconnects and nothing else",
      "POST",
      `${vendor}/tokens`,
      {
        name: "automation",
        policies: [
          {
            effect: "allow",
            resources: { [`com.cloudflare.api.account.${account}`]: "*" },
            permission_groups: [{ id: permissionGroups.magicWanWrite.id }],
          },
        ],
      },
    ),
    call("the first interconnect", "POST", `${own}/${account}/interconnects`, {
      name: "first",
      version: "1",
      interface_address: "10.201.0.0/31",
    }),
  ];
}

function call(what: string, method: FirstCall["method"], path: string, body: object): FirstCall {
  const line = `curl -X ${method} ${SERVER}${path} -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
  return { what, method, path, line };
}
