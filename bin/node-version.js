// Read by every Node that might be installed, also by ones that cannot run Patchbay: that is how those users get
// a sentence instead of a stack. So only syntax and modules that Node 14 knows.

/** The oldest Node that runs Patchbay: older ones drop the headers of a request after the 1,000th silently. */
export const OLDEST_NODE = "24.19";

/**
 * @param {string} version as in `process.version`: "v24.19.0"
 * @returns {boolean}
 */
export function runsPatchbay(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * @param {string} version as in `process.version`
 * @returns {string}
 */
export function oldNodeSentence(version) {
  return `Patchbay needs Node ${OLDEST_NODE} or newer; this is ${version}. Install it and run the same command again.`;
}
