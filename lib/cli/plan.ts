import { writeFile } from 'node:fs/promises'
import { defineCommand } from 'citty'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { fileFault } from '../fault.ts'
import { encodePlan } from '../plan/plan.ts'
import { meshArguments, programArgument, wantedMesh } from './arguments.ts'
import { finish } from './finish.ts'
import { loadPlan } from './load.ts'

export default defineCommand({
  meta: { name: 'plan', description: 'Write the plan of a program as JSON, to save, compare, explain or run later' },
  args: {
    ...programArgument,
    ...meshArguments,
    output: { type: 'string', alias: 'o', description: 'the file to write; standard output without it', valueHint: 'FILE' },
  },
  run: ({ args }) =>
    finish(pipe(
      TE.fromEither(wantedMesh(args)),
      TE.chain((wanted) => loadPlan(args.program, wanted)),
      TE.map((plan) => ({ plan, text: JSON.stringify(encodePlan(plan), null, 1) })),
      TE.chain(({ plan, text }) =>
        args.output === undefined ? TE.right(text) : TE.tryCatch(async () => {
          await writeFile(args.output!, `${text}\n`)
          return `${args.output}: ${plan.steps.length} steps for ${plan.ranks} ranks, sealed with ${plan.hash.slice(0, 12)}…`
        }, fileFault(args.output!))
      ),
    )),
})
