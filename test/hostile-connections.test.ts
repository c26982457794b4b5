import { describe } from "vitest";
import { describeHostileConnections } from "./harness/hostile-connections.ts";

describe("in clear", () => describeHostileConnections());
