/** The calls that turn an empty server into one with an account and an interconnect. */

export interface FirstCall {
  readonly what: string;
  /** A line for a shell in which `TOKEN` is set. */
  readonly line: string;
}

/** Where `patchbay serve` answers unless told otherwise. */
const SERVER = "http://127.0.0.1:8787";

/** Five calls that fill an empty server, in this order. `account` is the id of the account to be made. */
export function firstCalls(account: string): readonly FirstCall[] {
  const own = `/patchbay/v1/accounts`;
  const vendor = `/client/v4/accounts/${account}`;
  return [
    {
      what: "an account",
      line: curl("POST", own, { id: account, name: "My network" }),
    },
    {
      what: "its settings: what it may do, and the addresses that its interconnects come from",
      line: curl("PUT", `${own}/${account}/settings`, {
        flags: [],
        pools: { link: ["198.18.0.0/24"], interface: ["10.200.0.0/24"] },
      }),
    },
    {
      what: "a slot: a port of the edge that an interconnect can take",
      line: curl("POST", `${own}/${account}/slots`, { site: "LAB1", speed: "10G" }),
    },
    {
      what: "a token for automation, which may read and change interconnects and nothing else",
      line: curl("POST", `${vendor}/tokens`, {
        name: "automation",
        policies: [
          {
            effect: "allow",
            resources: { [`com.cloudflare.api.account.${account}`]: "*" },
            permission_groups: [{ id: "a1a7389ba7e441dba95852e10970fcc3" }],
          },
        ],
      }),
    },
    {
      what: "the first interconnect",
      line: curl("POST", `${own}/${account}/interconnects`, {
        name: "first",
        version: "1",
        interface_address: "10.201.0.0/31",
      }),
    },
  ];
}

function curl(method: string, path: string, body: object): string {
  return `curl -X ${method} ${SERVER}${path} -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}
