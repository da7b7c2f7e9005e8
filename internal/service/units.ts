/** What a service runs, and for whom. */
export interface Spec {
  /** Node's binary and the main module. */
  readonly program: readonly string[]
  readonly data: string
  /** `--config`, when it was given. */
  readonly config: string | null
  readonly scope: Scope
}

/** The user's own service manager, or the machine's. */
export type Scope = 'user' | 'system'

/** How every unit begins that this program writes; another one is not overwritten. */
export const mark = 'Written by spillway service install'

/** Enough for 20,000 streams. */
const descriptors = 65_536

/** Ends on which a restart changes nothing: wrong usage, and a refusal such as another master key or a second daemon. */
const finalCodes = [2, 4]

/** Logins that tools share with the program are renewed in their own files. */
const sharedLogins = ['.codex', '.claude', '.gemini']

/** The words that start the daemon. */
function words({ program, data, config }: Spec): readonly string[] {
  return [...program, '--data', data, ...(config === null ? [] : ['--config', config]), 'serve']
}

/** The unit for systemd. */
export function systemdUnit(spec: Spec): string {
  const { data, scope } = spec
  const own = scope === 'system' ? system : user
  return `# ${mark}; changes belong into: systemctl ${scope === 'user' ? '--user ' : ''}edit spillway
[Unit]
Description=spillway, a credential-pool failover proxy for AI agents
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=5min
StartLimitBurst=10

[Service]
ExecStart=${words(spec).map(quoted).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5s
RestartPreventExitStatus=${finalCodes.join(' ')}
TimeoutStopSec=90s
LimitNOFILE=${descriptors}
UMask=0077
${own(data)}
# A directory that guard prunes needs a line of its own: ReadWritePaths=/its/path
NoNewPrivileges=yes
ProtectSystem=strict
${privateTmp(spec)}
ProtectControlGroups=yes
ProtectKernelTunables=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}
`
}

/** A /tmp of its own, unless something that it needs is in the one of all: it would not find that. */
function privateTmp({ data, config, program }: Spec): string {
  const isShared = [data, config ?? '', ...program].some((path) => /^(\/var)?\/tmp\//.test(path))
  return `PrivateTmp=${isShared ? 'no' : 'yes'}`
}

/** Nobody's account: systemd makes a user for it, and its directory. */
const system = () => `DynamicUser=yes
StateDirectory=spillway
StateDirectoryMode=0700
ProtectHome=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
CapabilityBoundingSet=
RestrictNamespaces=yes`

const user = (data: string) =>
  `ReadWritePaths=${[quoted(data), ...sharedLogins.map((name) => `-%h/${name}`)].join(' ')}`

/** A word as systemd reads it: quoted where it must be, with its specifiers and variables taken literally. */
function quoted(word: string): string {
  const literal = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w./:@%$+,=-]+$/.test(literal)) return literal
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** The property list of a launchd agent; its log is a file. */
export function launchdPlist(spec: Spec, log: string): string {
  const strings = words(spec).map((word) => `    <string>${escaped(word)}</string>`)
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${mark} -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>spillway</string>
  <key>ProgramArguments</key>
  <array>
${strings.join('\n')}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>ExitTimeOut</key>
  <integer>90</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>${descriptors}</integer>
  </dict>
  <key>StandardOutPath</key>
  <string>${escaped(log)}</string>
  <key>StandardErrorPath</key>
  <string>${escaped(log)}</string>
</dict>
</plist>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
