import { describe } from "vitest";
import { makeCertificate, trust, writePair } from "../harness/certificates.ts";
import { describeHostileConnections } from "../harness/hostile-connections.ts";
import { temporaryDirectoryForAll } from "../harness/temporary.ts";

const certificate = makeCertificate();
trust(certificate);

describe("under TLS", () => describeHostileConnections(writePair(temporaryDirectoryForAll(), certificate)));
