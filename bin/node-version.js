// Read by every Node that might be installed, also by ones that cannot run Patchbay: that is how those users get
// a sentence instead of a stack. So only syntax and modules that Node 14 knows.

/** The oldest major version of Node that runs Patchbay. */
export const OLDEST_NODE = 24;

/**
 * @param {string} version as in `process.version`: "v24.1.0"
 * @returns {boolean}
 */
export function runsPatchbay(version) {
  return Number.parseInt(version.replace(/^v/, ""), 10) >= OLDEST_NODE;
}

/**
 * @param {string} version as in `process.version`
 * @returns {string}
 */
export function oldNodeSentence(version) {
  return `Patchbay needs Node ${OLDEST_NODE} or newer; this is ${version}. Install Node ${OLDEST_NODE} and run the same command again.`;
}
