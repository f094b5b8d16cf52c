import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { executableOf } from '#lib/run/spawn.ts'

/**
 * Packs the npm package, installs it in an empty project, and uses it as a stranger would, from Node and from Deno. Not a
 * test file, because it needs the registry; CI runs it.
 */
const home = fileURLToPath(new URL('../', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'shardwise-package-'))

const run = (folder: string, command: string, ...options: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, options, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${options.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`)
  return stdout
}

const program = readFileSync(join(home, 'examples/two-stages.ts'), 'utf8')
  .replace("'#lib/mod.ts'", "'shardwise'").replace("'#ops/mod.ts'", "'shardwise/ops'")
const caller = `
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { compile, explain, input, launch, mesh, parameter, sentence } from 'shardwise'
import { mean, multiply, square, subtract } from 'shardwise/ops'
import { sgd, train, trainStep, zeros } from 'shardwise/train'
import twoStages from './two-stages.ts'

const plan = compile(twoStages)
if (E.isLeft(plan)) throw new Error(sentence(plan.left))
const session = await launch(plan.right, { backend: 'reference' })()
if (E.isLeft(session)) throw new Error(sentence(session.left))
const result = await session.right.run({ x: new Float32Array(16 * 1024 * 384).fill(1) })()
await session.right.close()
if (E.isLeft(result)) throw new Error(sentence(result.left))
const step = trainStep('line', mesh('dp=1'), {
  inputs: { x: input('b:8@dp'), y: input('b:8@dp') },
  parameters: { w: parameter('', zeros) },
  loss: ({ inputs: { x, y }, parameters: { w } }) => pipe(x, multiply(w), subtract(y), square, mean('b')),
  optimiser: sgd({ rate: 0.5 }),
})
const x = Float32Array.from({ length: 8 }, (_, i) => i / 8)
const trained = await train(step, { steps: 60, batch: () => ({ x, y: x.map((one) => 2 * one) }), launch: { backend: 'reference' } })()
if (E.isLeft(trained)) throw new Error(sentence(trained.left))
if (Math.abs(trained.right.parameters['w']![0]! - 2) > 1e-3) throw new Error('it learned ' + trained.right.parameters['w']![0])
console.log(explain(plan.right).total.exchanges, result.right.outputs['output']![0])
`

try {
  run(home, 'npm', 'pack', '--silent', '--pack-destination', project)
  const archive = readdirSync(project).find((name) => name.endsWith('.tgz'))!
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }))
  writeFileSync(join(project, 'deno.json'), JSON.stringify({ nodeModulesDir: 'manual' }))
  run(project, 'npm', 'install', '--no-audit', '--no-fund', `./${archive}`)
  writeFileSync(join(project, 'two-stages.ts'), program)
  writeFileSync(join(project, 'main.ts'), caller)
  writeFileSync(join(project, 'wrong.ts'), program.replace("softmax('t')", "softmax('s')"))

  const explained = run(project, 'npx', 'shardwise', 'explain', 'two-stages.ts')
  if (!explained.includes('minimal (proven)')) throw new Error(`explain said:\n${explained}`)
  run(project, 'npx', 'shardwise', 'check', 'two-stages.ts')
  const wrong = spawnSync('npx', ['shardwise', 'check', 'wrong.ts'], { cwd: project, encoding: 'utf8' })
  if (wrong.status !== 1 || !wrong.stdout.includes("softmax needs dim 's' whole, but it is @sp; fix: layout(")) {
    throw new Error(`check said of a wrong program:\n${wrong.stdout}${wrong.stderr}`)
  }
  run(project, 'npx', 'shardwise', 'run', 'two-stages.ts', '--ranks', '2')
  const simulated = run(project, 'npx', 'shardwise', 'simulate', 'two-stages.ts', '--cluster', 'h100')
  if (!simulated.includes('per run')) throw new Error(`simulate said:\n${simulated}`)
  run(project, 'npx', 'shardwise', 'compare', 'two-stages.ts', '--ranks', '2', '--no-measure', '--html', 'page.html')
  const page = readFileSync(join(project, 'page.html'), 'utf8')
  if (!page.includes('Chart.js v') || !page.includes('drawAll()')) throw new Error('the page lacks a script')
  for (
    const said of [run(project, 'npx', 'tsx', 'main.ts'), run(project, executableOf('deno'), 'run', '--allow-all', '--check', 'main.ts')]
  ) {
    if (said.trim() !== '1 0.0625') throw new Error(`a program that uses the package said: ${said}`)
  }
  process.stdout.write('the packed package works in an empty project, from Node and from Deno\n')
} finally {
  rmSync(project, { recursive: true, force: true })
}
