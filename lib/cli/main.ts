import process from 'node:process'
import { type CommandDef, defineCommand, runCommand, showUsage } from 'citty'
import colours from 'picocolors'
import { reasonOf } from '../fault.ts'

const commands = {
  run: () => import('./run.ts').then((module) => module.default),
  explain: () => import('./explain.ts').then((module) => module.default),
  plan: () => import('./plan.ts').then((module) => module.default),
  check: () => import('./check.ts').then((module) => module.default),
  doctor: () => import('./doctor.ts').then((module) => module.default),
  simulate: () => import('./simulate.ts').then((module) => module.default),
  compare: () => import('./compare.ts').then((module) => module.default),
  calibrate: () => import('./calibrate.ts').then((module) => module.default),
}

/** As in package.json, which the tests compare. */
const version = '0.1.0'

const main = defineCommand({
  meta: { name: 'shardwise', version, description: 'Programs whose types say how each dimension lies over the machines' },
  subCommands: commands,
})

const words = process.argv.slice(2)
const name = words[0]
const help = words.length === 0 || words.includes('--help') || words.includes('-h')
// Each command has arguments of its own type, which only it knows.
const command = name !== undefined && Object.hasOwn(commands, name)
  ? await commands[name as keyof typeof commands]() as unknown as CommandDef
  : undefined

if (name === '--version') process.stdout.write(`${version}\n`)
else if (help) await showUsage(command ?? main, command === undefined ? undefined : main)
else if (command === undefined) fail(`there is no command '${name}'; the commands are ${Object.keys(commands).join(', ')}`)
else {
  try {
    const stranger = unknownOption(words.slice(1), command)
    if (stranger === undefined) await runCommand(command, { rawArgs: words.slice(1) })
    else fail(`there is no option ${stranger}; see shardwise ${name} --help`)
  } catch (thrown) {
    fail(`${reasonOf(thrown)}; see shardwise ${name} --help`)
  }
}

function fail(message: string): void {
  process.stderr.write(`${colours.red('error')} ${message}\n`)
  process.exitCode = 2
}

/** The first option that the command does not have: a mistyped one must not be passed over in silence. */
function unknownOption(given: readonly string[], { args = {} }: CommandDef): string | undefined {
  const known = Object.entries(args as Record<string, { readonly alias?: string }>).flatMap(([long, { alias }]) => [long, alias])
  return given.find((word) => /^--?[a-z]/.test(word) && !known.includes(word.replace(/^--?(?:no-)?/, '').split('=')[0]!))
}
