import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { loadCluster } from '#lib/cluster/load.ts'
import type { Elements } from '#lib/dtype.ts'
import { peakOf } from '#lib/lower/instantiate.ts'
import { compile, input, layout, mesh, parameter, type Plan, type Program, program, sentence, type Tensor, valueAndGrad } from '#lib/mod.ts'
import { simulate } from '#lib/simulate/simulate.ts'
import { adamW, trainStep, zeros } from '#lib/train/mod.ts'
import {
  add,
  attention,
  contract,
  divide,
  gelu,
  linear,
  mean,
  merge,
  multiply,
  reorder,
  selfAttention,
  softmax,
  square,
  subtract,
  sum,
} from '#ops/mod.ts'
import { type Sizes as VideoSizes, videoTransformer } from '../../examples/video/model.ts'
import { assertClose, inputsFor, plannedBytes, right, runPlan } from '../lower/run-plan.ts'
import { extraLarge, stdit } from '../plan/stdit.ts'
import { planOf } from './baselines.ts'
import { byFormula, grouped, type Sizes, switchedShare, type Way, waysOf } from './grouped-attention.ts'
import { shardwise } from '../cli/command.ts'

/**
 * What users of other systems ask for and complain about, where no other test shows how it is here: the table of all of them is
 * `examples/baselines/PAINS.md`.
 */
type Value = Tensor<string>
const laid = (text: string) => (x: Value): Value => layout(text)(x) as unknown as Value

type Move = Extract<Plan['steps'][number], { readonly do: 'move' }>
const movesOf = (plan: Plan): readonly Move[] =>
  plan.steps.flatMap((step) => step.do === 'move' && step.bytes.some((bytes) => bytes > 0) ? [step] : [])
const bytesOf = (moves: readonly Move[]): number => moves.flatMap(({ bytes }) => bytes).reduce((sum, bytes) => sum + bytes, 0)
/** What is sent of tensors with dims: all but the loss. */
const ofTensors = (plan: Plan): readonly Move[] => movesOf(plan).filter(({ to }) => plan.values[to]!.spec !== '')
const sumOf = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

/** Results and gradients are those of the formula, on links that count what the plan says; gives back the bytes of both passes. */
const assertAttention = async (
  on: string,
  sizes: Sizes,
  way: Way,
  { dims, sees }: { readonly dims?: 'n m' | 'm'; readonly sees?: (query: number, key: number) => boolean } = {},
): Promise<{ readonly forward: number; readonly backward: number }> => {
  const mask = dims === undefined ? {} : { mask: dims }
  const plans = [false, true].map((backward) => planOf(grouped(on, sizes, way, { backward, ...mask })))
  const places = Array.from({ length: sizes.n ** (dims === 'm' ? 1 : 2) }, (_, at) => at)
  const see = Int32Array.from(places, (at) => sees?.(Math.floor(at / sizes.n), at % sizes.n) ? 1 : 0)
  for (const plan of plans) {
    const given: Readonly<Record<string, Elements>> = { ...inputsFor(plan), see }
    const wanted: Readonly<Record<string, ArrayLike<number>>> = byFormula(sizes, given, sees)
    const { outputs, sent } = await runPlan(plan, given, { poison: true })
    for (const { name } of plan.outputs) assertClose(outputs[name]!, wanted[name]!, 1e-6)
    assert.deepEqual(sent, plannedBytes(plan))
    assert.ok(plan.certificate.minimal)
  }
  const [forward, both] = plans.map((plan) => bytesOf(ofTensors(plan)))
  return { forward: forward!, backward: both! - forward! }
}

describe('grouped-query attention with fewer key heads than ranks', () => {
  const sizes = { n: 9, h: 2, g: 3, d: 2 }
  /** Bytes of keys, or of values: each key head counts once. */
  const keys = 4 * sizes.n * sizes.h * sizes.d
  const queries = keys * sizes.g
  for (const ranks of [3, 4]) {
    const [toHeads, toQueries] = [switchedShare(ranks, sizes.n, sizes.h), switchedShare(ranks, sizes.n, sizes.g)]
    const expected = {
      // There and back, forward for q, k, v and o, backward for their gradients.
      'by heads': { forward: 2 * (keys + queries) * toHeads, backward: 2 * (keys + queries) * toHeads },
      // Keys and values go to every rank, and their gradients are summed up from every rank.
      'by queries of a head': {
        forward: 2 * queries * toQueries + 2 * (ranks - 1) * keys,
        backward: 2 * queries * toQueries + 2 * (ranks - 1) * keys,
      },
      // Each piece of keys and values passes the other ranks; backward once more, with its gradients, which then come home.
      'in a ring': { forward: 2 * (ranks - 1) * keys, backward: 4 * (ranks - 1) * keys },
    }
    for (const [name, way] of Object.entries(waysOf)) {
      it(`${name}, 2 key heads on ${ranks} ranks: the formula's results and gradients, and each key head is sent once`, async () => {
        const bytes = await assertAttention(`sp=${ranks}`, sizes, way)
        for (const [phase, wanted] of Object.entries(expected[name as keyof typeof waysOf])) {
          assert.ok(Math.abs(bytes[phase as keyof typeof bytes] - wanted) < 1e-6, `${phase}: ${bytes[phase as keyof typeof bytes]}`)
        }
      })
    }
  }

  it('2 key heads keep 4 ranks busy: heads over one axis, the queries of a head over the other', async () => {
    await assertAttention('heads=2 queries=2', { n: 8, h: 2, g: 4, d: 2 }, {
      queries: 'h@heads g@queries',
      keys: 'h@heads',
      around: 'n@heads+queries',
    })
  })

  it('values wider than keys are refused in one sentence by attention, and written out they need nothing more', async () => {
    const [n, h, g, d, w] = [7, 2, 2, 3, 4]
    const specs = { q: `n:${n} h:${h}@sp g:${g} d:${d}`, k: `m:${n} h:${h}@sp d:${d}` } as const
    const wide = { q: input(specs.q as string), k: input(specs.k as string), v: input(`m:${n} h:${h}@sp d:${w}` as string) }
    const over = { over: 'm', heads: 'h', features: 'd' } as const
    const refused = compile(program('wide', mesh('sp=3'), wide, ({ q, k, v }) => pipe(q, attention(over)(k, v)) as unknown as Value))
    assert.ok(E.isLeft(refused))
    assert.match(sentence(refused.left), /attention: dim 'd' is 3 on the key but 4 on the value/)
    const plan = planOf(
      program('written out', mesh('sp=3'), {
        q: input(specs.q),
        k: input(specs.k),
        v: input(`m:${n} h:${h}@sp w:${w}`),
      }, ({ q, k, v }) => ({
        o: pipe(q, contract(k, 'd'), multiply(1 / Math.sqrt(d)), softmax('m'), contract(v, 'm'), reorder('n h g w')),
      })),
    )
    assert.equal(plan.certificate.bytes, 0)
    // The formula's values are as wide as its keys: it takes the same feature of them in every place.
    const given = inputsFor(plan)
    const { outputs } = await runPlan(plan, given)
    for (let feature = 0; feature < w; feature++) {
      const narrow = Float32Array.from({ length: n * h * d }, (_, i) => given['v']![Math.floor(i / d) * w + feature]!)
      const { o } = byFormula({ n, h, g, d }, { ...given, v: narrow })
      assertClose(outputs['o']!.filter((_, i) => i % w === feature), o.filter((_, i) => i % d === 0), 1e-6)
    }
  })
})

describe('heads that the ranks do not divide', () => {
  for (const [heads, ranks] of [[26, 4], [26, 8], [7, 5]] as const) {
    it(`${heads} heads on ${ranks} ranks: the formula's results and gradients, switched or round a ring, for the bytes of real heads`, async () => {
      const sizes = { n: 9, h: heads, g: 1, d: 1 }
      const all = 4 * sizes.n * heads
      const wanted = 4 * all * switchedShare(ranks, sizes.n, heads)
      const { forward, backward } = await assertAttention(`sp=${ranks}`, sizes, waysOf['by heads'])
      assert.ok(Math.abs(forward - wanted) < 1e-6 && Math.abs(backward - wanted) < 1e-6)
      assert.deepEqual(await assertAttention(`sp=${ranks}`, sizes, waysOf['in a ring']), {
        forward: 2 * (ranks - 1) * all,
        backward: 4 * (ranks - 1) * all,
      })
    })
  }

  it('more ranks than heads: heads over one axis, the queries over another, keys and values whole along it', async () => {
    const [sizes, heads, queries] = [{ n: 8, h: 4, g: 1, d: 2 }, 4, 2]
    const { forward } = await assertAttention(`heads=${heads} queries=${queries}`, sizes, {
      queries: 'h@heads n@queries',
      keys: 'h@heads',
      around: 'n@queries+heads',
    })
    // Queries and results move only within their part of the sequence; keys and values also to the other.
    const all = 4 * sizes.n * sizes.h * sizes.d
    assert.equal(forward, 2 * all * (1 - 1 / heads) + 2 * all * (queries - 1 / heads))
  })
})

describe('attention over everything at once', () => {
  interface Weights {
    readonly qkv: Value
    readonly out: Value
    readonly up: Value
    readonly down: Value
  }
  const [t, s, e, layers] = [12, 2, 12, 2]
  /** Two layers over all frames and patches; not a word is said about layouts. */
  const full = (ranks: number, ring: boolean): Program =>
    program('full attention', mesh(`sp=${ranks}`), {
      x: input(`t:${t}@? s:${s}@? e:${e}@?` as string),
      layers: Array.from({ length: layers }, () => ({
        qkv: parameter('part:3 h:4 d:3 e:12' as string),
        out: parameter('e:12 h:4 d:3' as string),
        up: parameter('f:24 e:12' as string),
        down: parameter('e:12 f:24' as string),
      })),
    }, ({ x, layers }) =>
      layers.reduce((x: Value, { qkv, out, up, down }: Weights): Value => {
        const over = { parts: 'part', over: 'n', heads: 'h', features: 'd', ...(ring && { ring: 'sp' }) }
        const seen = pipe(
          x,
          add(pipe(x, linear(qkv, 'e'), selfAttention(over), linear(out, 'h d')) as unknown as Value),
        ) as unknown as Value
        return pipe(seen, add(pipe(seen, linear(up, 'e'), gelu, linear(down, 'f')) as unknown as Value)) as unknown as Value
      }, pipe(x, merge('t s', 'n')) as unknown as Value))

  const all = 4 * t * s * e
  for (const ranks of [2, 3, 4]) {
    it(`on ${ranks} ranks the planner goes to the heads or gathers, whichever is cheaper, or round the ring it may use, and proves it`, async () => {
      const switched = switchedShare(ranks, t * s, 4)
      // A layer: q, k, v and the result to the heads and back; or the stream to every rank, and the result back.
      const heads = layers * all * Math.min(4 * switched, ranks - 1 + switched)
      const ring = layers * all * 2 * (ranks - 1)
      const alone = planOf(full(1, false))
      const { outputs: wanted } = await runPlan(alone, inputsFor(alone))
      for (const [isRing, bytes] of [[false, heads], [true, ring]] as const) {
        const plan = planOf(full(ranks, isRing))
        assert.ok(plan.certificate.minimal)
        assert.ok(Math.abs(plan.certificate.bytes - bytes) < 1e-6, `${plan.certificate.bytes}, not ${bytes}`)
        const { outputs } = await runPlan(plan, inputsFor(plan))
        assertClose(outputs['output']!, wanted['output']!, 1e-5)
      }
    })
  }
})

describe('where all tokens of a rank are masked', () => {
  const sizes = { n: 9, h: 3, g: 1, d: 2 }
  /** The positions of the second of three ranks. */
  const middle = (position: number): boolean => position >= 3 && position < 6
  for (const name of ['by heads', 'in a ring'] as const) {
    for (
      const [what, dims, sees] of [
        ['its keys', 'm', (_: number, key: number) => !middle(key)],
        ['its queries, which then see no key,', 'n m', (query: number) => !middle(query)],
        ['the keys of all ranks', 'm', () => false],
      ] as const
    ) {
      it(`${name}: ${what} give the formula's results and gradients, and no NaN`, async () => {
        await assertAttention('sp=3', sizes, waysOf[name], { dims, sees })
      })
    }
  }

  it('on uneven pieces of clips and frames the mean over the other tokens is exact, and so are its gradients, without any factor', async () => {
    const [clips, frames, e, f] = [3, 7, 4, 2]
    const lossOf = (x: Value, y: Value, counts: Value) => (w: Value): Value =>
      pipe(
        pipe(x, linear(w, 'e'), subtract(y), square, mean('f'), multiply(counts), sum('b t')) as unknown as Value,
        divide(pipe(counts, sum('b t'), laid('')) as unknown as Value),
      ) as unknown as Value
    const plan = planOf(program('masked mean', mesh('dp=2 sp=3'), {
      x: input(`b:${clips}@dp t:${frames}@sp e:${e}` as string),
      y: input(`b:${clips}@dp t:${frames}@sp f:${f}` as string),
      counts: input(`b:${clips}@dp t:${frames}@sp` as string),
      w: parameter(`f:${f} e:${e}` as string),
    }, ({ x, y, counts, w }) => {
      const [loss, gradient] = valueAndGrad(lossOf(x, y, counts))(w)
      return { loss, gradient }
    }))
    // The third clip alone is on the second row of ranks, where frames 3 and 4 are the second rank's.
    const masked = [2 * frames + 3, 2 * frames + 4]
    const counts = Float32Array.from({ length: clips * frames }, (_, token) => masked.includes(token) ? 0 : 1)
    const given: Readonly<Record<string, Elements>> = { ...inputsFor(plan), counts }
    const { outputs } = await runPlan(plan, given)
    const [x, y, w] = [given['x']!, given['y']!, given['w']!]
    const share = 1 / f / sumOf([...counts])
    let loss = 0
    const gradient = new Float64Array(w.length)
    for (let token = 0; token < counts.length; token++) {
      for (let to = 0; to < f; to++) {
        const error = sumOf(Array.from({ length: e }, (_, from) => w[to * e + from]! * x[token * e + from]!)) - y[token * f + to]!
        loss += counts[token]! * error ** 2 * share
        for (let from = 0; from < e; from++) gradient[to * e + from]! += counts[token]! * 2 * error * x[token * e + from]! * share
      }
    }
    assertClose(outputs['loss']!, [loss], 1e-6)
    assertClose(outputs['gradient']!, gradient, 1e-6)
  })
})

describe('attention to text that every rank has', () => {
  for (const [cut, frames] of [['t@sp', 7], ['s@sp', 4]] as const) {
    it(`sends nothing forward, and backward only gradients of its parameters, with ${cut}`, async () => {
      const [ranks, e, l] = [3, 4, 30]
      const spec = `t:${frames} s:10 e:${e}`.split(' ').map((dim) => dim.startsWith(cut[0]!) ? `${dim}@sp` : dim).join(' ')
      const cross = (on: string, backward: boolean): Program =>
        program('cross-attention', mesh(on as 'sp=3'), {
          x: input(spec),
          text: input(`l:${l} e:${e}` as string),
          w: { q: parameter('h:2 d:2 e:4' as string), k: parameter('h:2 d:2 e:4' as string), v: parameter('h:2 d:2 e:4' as string) },
        }, ({ x, text, w }) => {
          const attend = ({ q, k, v }: typeof w): Value => {
            const to = (weight: Value): Value => pipe(text, linear(weight, 'e')) as unknown as Value
            return pipe(x, linear(q, 'e'), attention({ over: 'l', heads: 'h', features: 'd' })(to(k), to(v))) as unknown as Value
          }
          if (!backward) return { o: attend(w) }
          const [loss, gradients] = valueAndGrad((by: typeof w) => pipe(attend(by), square, mean('t s h d')))(w)
          return { loss, gradients }
        })
      assert.equal(planOf(cross(`sp=${ranks}`, false)).certificate.bytes, 0)
      const plan = planOf(cross(`sp=${ranks}`, true))
      assert.ok(ofTensors(plan).every(({ to }) => !/\b[tsl]:/.test(plan.values[to]!.spec)))
      // An all-reduce sends its tensor twice from each rank but one.
      assert.equal(bytesOf(ofTensors(plan)), 3 * 2 * (ranks - 1) * 4 * e * e)
      const alone = planOf(cross('sp=1', true))
      const [got, wanted] = [await runPlan(plan, inputsFor(plan)), await runPlan(alone, inputsFor(alone))]
      for (const [name, elements] of Object.entries(wanted.outputs)) assertClose(got.outputs[name]!, elements, 1e-6)
    })
  }
})

describe('parameters and state over the ranks of both axes', () => {
  const [f, e] = [16, 8]
  const parameterBytes = 4 * 2 * f * e
  const step = (on: string, cut: string, shard?: string): Plan =>
    planOf(trainStep('feed-forward', mesh(on as 'dp=2 sp=2'), {
      inputs: { x: input(`b:8@dp t:12@sp e:${e}` as string) },
      parameters: { up: parameter(`f:${f}${cut} e:${e}` as string, zeros), down: parameter(`e:${e} f:${f}${cut}` as string, zeros) },
      loss: ({ inputs: { x }, parameters: { up, down } }) =>
        pipe(x, linear(laid('')(up), 'e'), gelu, linear(laid('')(down), 'f'), square, mean('b t e')) as unknown as Tensor<''>,
      optimiser: adamW({ rate: 1e-3, ...(shard === undefined ? {} : { shard }) }),
    }))
  /** The count of steps and the two products of decays, which every rank has. */
  const numbers = 4 * 3

  it('each rank holds its part, for the bytes of one all-reduce', () => {
    for (
      const [cut, shard, parameters, moments] of [
        ['', undefined, 1, 1],
        ['', 'dp', 1, 1 / 2],
        ['@sp', 'dp', 1 / 2, 1 / 4],
        ['@dp+sp', undefined, 1 / 4, 1 / 4],
      ] as const
    ) {
      const plan = step('dp=2 sp=2', cut, shard)
      const held = peakOf(plan, 0)
      assert.equal(held.parameters, parameterBytes * parameters)
      assert.equal(held.optimiser, 2 * parameterBytes * moments + numbers)
      // Parameters to all, and gradients from all.
      assert.equal(bytesOf(ofTensors(plan)), 2 * (plan.ranks - 1) * parameterBytes)
    }
  })
})

describe('sizes that the ranks do not divide, and fewer frames than ranks', () => {
  const sizes: VideoSizes = {
    batch: 1,
    frames: 17,
    rows: 2,
    columns: 3,
    width: 8,
    heads: 2,
    depth: 1,
    words: 2,
    captionWidth: 3,
    channels: 1,
    outputChannels: 1,
  }
  for (const [frames, ranks] of [[17, 8], [2, 3], [1, 3]] as const) {
    it(`${frames === 1 ? 'an image' : `${frames} frames`} on ${ranks} ranks: as long as it was, no number of a pad, and what one rank gives`, async () => {
      const program = (ranks: number): Program => videoTransformer({ ...sizes, frames }, ranks)
      const [plan, alone] = [planOf(program(ranks)), planOf(program(1))]
      const given = inputsFor(plan)
      const { outputs, sent } = await runPlan(plan, given, { poison: true })
      const { outputs: wanted } = await runPlan(alone, given)
      assert.equal(outputs['prediction']!.length, frames * 4 * sizes.rows * sizes.columns)
      assertClose(outputs['prediction']!, wanted['prediction']!, 1e-5)
      // Two switches, of real positions only.
      const stream = 4 * frames * sizes.rows * sizes.columns * sizes.width
      assert.ok(Math.abs(sumOf(sent) - 2 * stream * switchedShare(ranks, frames, sizes.rows * sizes.columns)) < 1e-6)
    })
  }

  it('an image whose layouts are left to the planner is shared by all ranks: one switch to the heads and one back', () => {
    const plan = planOf(stdit({ ...extraLarge, frames: 1, depth: 1 }, 'sp=4', 'nothing'))
    const stream = 4 * extraLarge.patches * extraLarge.width
    // q, k and v there, the result back; M (N-1)/N each.
    assert.deepEqual(movesOf(plan).map(({ name }) => name), ['switch', 'switch'])
    assert.equal(plan.certificate.bytes, 4 * stream * 3 / 4)
    assert.ok(plan.certificate.minimal)
  })
})

describe('whether more devices are worth it', () => {
  const secondsOn = async (cluster: string, program: Program): Promise<number> =>
    simulate(planOf(program), right(await loadCluster(cluster)()), { precision: 'bf16' }).seconds

  it('of a small model on PCIe cards simulate says that one card is fastest', async () => {
    const { code, out } = shardwise('simulate', 'examples/video/small.ts', '--cluster', 'rtx4090-pcie', '--devices', '8')
    assert.equal(code, 0)
    // Two clips on two cards, without a byte between them, before all meshes that cut the sequence.
    assert.match(out, /^dp=8 sp=1 .* 0 % communication/)
    const small = { batch: 1, frames: 6, patches: 16, width: 48, heads: 4, words: 7, depth: 1 }
    const alone = await secondsOn('rtx4090-pcie', stdit(small, 'sp=1', 'sequence'))
    for (const ranks of [2, 4]) assert.ok(await secondsOn('rtx4090-pcie', stdit(small, `sp=${ranks}`, 'sequence')) > alone)
  })

  it('of a large model on H100 it says that more are faster, by less than their number', async () => {
    const large = { ...extraLarge, frames: 64, patches: 4096, depth: 1 }
    const alone = await secondsOn('h100', stdit(large, 'sp=1', 'sequence'))
    for (const ranks of [2, 8]) {
      const many = await secondsOn('h100', stdit(large, `sp=${ranks}`, 'sequence'))
      assert.ok(many < alone / (0.7 * ranks) && many > alone / ranks)
    }
  })
})

describe('examples/baselines/PAINS.md', () => {
  it('the table names tests that exist', () => {
    const page = new URL('../../examples/baselines/PAINS.md', import.meta.url)
    const rows = readFileSync(page, 'utf8').split('\n').filter((line) => line.startsWith('| ') && !/^\| (---|What is met)/.test(line))
    assert.ok(rows.length > 0)
    for (const row of rows) {
      const [, , threads, , tests] = row.split('|')
      assert.match(threads!, /https:\/\/github\.com\//)
      const cited = [...tests!.matchAll(/\((\.\.\/[^)]+)\)([^[]*)/g)]
        .flatMap(([, path, titles]) => [...titles!.matchAll(/“([^”]+)”/g)].map(([, title]) => ({ path: path!, title: title! })))
      assert.ok(cited.length > 0, row)
      for (const { path, title } of cited) {
        // … stands for what differs between cases, which the file computes.
        const words = title.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('.+')
        assert.match(readFileSync(new URL(path, page), 'utf8'), new RegExp(`['"\`]${words}['"\`],`), `${path} has no test “${title}”`)
      }
    }
  })
})
