import type { Port } from '../../../internal/cli/cli.ts'

/** What the command line needs of the rest of the program, doing nothing but what `change` says. */
export function portWith(change: Partial<Port>): Port {
  return {
    version: '1.2.3',
    now: () => 0,
    sleep: async () => undefined,
    open: async () => {
      throw new Error('nothing is to be opened here')
    },
    serve: async () => 0,
    init: async () => ({ data: '/data', key: null }),
    backup: async () => ({ bytes: 0, notes: [] }),
    restore: async () => undefined,
    rotateMasterKey: async () => ({ before: '', after: '', resealed: 0, left: 0 }),
    store: {
      migrate: async () => ({ url: 'sqlite:/data/spillway.db', before: 1, now: 1 }),
      check: async () => {
        throw new Error('there is no store here')
      },
      copy: async (_where, { from, to }) => ({ from: from ?? 'sqlite:/data/spillway.db', to, tables: [] }),
    },
    loading: () => ({ file: '/data/spillway.yaml', explicit: false, env: {}, dataDir: '/data' }),
    service: async () => {
      throw new Error('there is no service manager here')
    },
    exec: async () => 0,
    browse: async () => false,
    demo: async () => true,
    data: () => '/nonexistent/data',
    invocation: () => ({ typed: ['spillway'], absolute: ['/usr/bin/spillway'] }),
    ...change,
  }
}
