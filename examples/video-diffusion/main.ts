import process from 'node:process'
import { type CommandDef, defineCommand, runMain } from 'citty'
import { sample as sampleCommand } from './commands/sample.ts'
import { quick, resume, train } from './commands/train.ts'

/** A video diffusion model on several processes: trained, resumed on another mesh, sampled. Without a command, a short form of all of it. */
const subCommands: Readonly<Record<string, CommandDef>> = { train, resume, sample: sampleCommand } as unknown as Record<string, CommandDef>

await runMain(
  process.argv.slice(2).some((word) => word in subCommands || word === '--help' || word === '-h')
    ? defineCommand({
      meta: { name: 'video-diffusion', description: 'A video diffusion model trained and sampled on several processes' },
      subCommands,
    })
    : quick as unknown as CommandDef,
)
