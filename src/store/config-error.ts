/** A wrong setting or file of the operator's; the message is a plain sentence, or one a line, for the operator. */
export class ConfigError extends Error {}
