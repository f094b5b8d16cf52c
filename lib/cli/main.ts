import process from 'node:process'
import { type CommandDef, defineCommand, runCommand, showUsage } from 'citty'
import colours from 'picocolors'

// Each command has arguments of its own, which only it knows.
const commands: Readonly<Record<string, () => Promise<CommandDef>>> = {
  run: () => import('./run.ts').then((module) => module.default as CommandDef),
  explain: () => import('./explain.ts').then((module) => module.default as CommandDef),
  plan: () => import('./plan.ts').then((module) => module.default as CommandDef),
  check: () => import('./check.ts').then((module) => module.default as CommandDef),
  doctor: () => import('./doctor.ts').then((module) => module.default as CommandDef),
}

const main = defineCommand({
  meta: { name: 'shardwise', version: '0.1.0', description: 'Programs whose types say how each dimension lies over the machines' },
  subCommands: commands,
})

const words = process.argv.slice(2)
const name = words[0]
const help = words.length === 0 || words.includes('--help') || words.includes('-h')
const command = name !== undefined && Object.hasOwn(commands, name) ? await commands[name]!() : undefined

if (name === '--version') process.stdout.write('0.1.0\n')
else if (help) await showUsage(command ?? main, command === undefined ? undefined : main)
else if (command === undefined) fail(`there is no command '${name}'; the commands are ${Object.keys(commands).join(', ')}`)
else {
  try {
    await runCommand(command, { rawArgs: words.slice(1) })
  } catch (thrown) {
    fail(`${thrown instanceof Error ? thrown.message : String(thrown)}; see shardwise ${name} --help`)
  }
}

function fail(message: string): void {
  process.stderr.write(`${colours.red('error')} ${message}\n`)
  process.exitCode = 2
}
