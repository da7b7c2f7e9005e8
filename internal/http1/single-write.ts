/**
 * Up to this many bytes it is cheaper to copy a body into one string with its frame than to write the two together: node
 * puts a short string on the stack and writes it at once.
 */
export const longestSingleWrite = 16_384
