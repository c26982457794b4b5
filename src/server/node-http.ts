/**
 * Node's HTTP server. To `import` names of `node:http` fills in all of them, one of which loads a whole HTTP
 * client: 30 ms of every start, for nothing.
 */
export const { createServer, maxHeaderSize, STATUS_CODES } = process.getBuiltinModule("node:http");
