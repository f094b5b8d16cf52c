import { defineCommand } from 'citty'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { explain } from '../report/explain.ts'
import { printExplanation } from '../report/print.ts'
import { jsonArgument, meshArguments, programArgument, wantedMesh } from './arguments.ts'
import { finish } from './finish.ts'
import { loadPlan } from './load.ts'

export default defineCommand({
  meta: { name: 'explain', description: 'Show what moves between ranks, where, how many bytes, why, and that no plan moves fewer' },
  args: { ...programArgument, ...meshArguments, ...jsonArgument },
  run: ({ args }) =>
    finish(pipe(
      TE.fromEither(wantedMesh(args)),
      TE.chain((wanted) => loadPlan(args.program, wanted)),
      TE.map(explain),
      TE.map((explanation) => args.json ? JSON.stringify(explanation, null, 2) : printExplanation(explanation)),
    )),
})
