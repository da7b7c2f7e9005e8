/** The proxy under test has a core to itself; load generator and origin share the other. */
export const proxyCore = 0
export const loadCore = 1
