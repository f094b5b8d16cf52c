import { elementsOf, type MapKernel, type View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import {
  aligned,
  Bindings,
  constantText,
  decodeText,
  elementFunction,
  fromStored,
  lanes,
  namesOf,
  offsetText,
  type Shader,
  shader,
  storedType,
  toStored,
} from '../emit.ts'
import { innermost, simplify } from '../loops.ts'

/** How many groups of elements one thread computes: an emulated GPU has few threads, and each start costs. */
const groupsPerThread = (shape: Shape, count: number): number => shape === 'gpu' || count < 4096 ? 1 : 4

/** One thread computes four neighbours where the output allows it, else one element. */
export const mapShader = (k: MapKernel, shape: Shape): Shader => {
  const types = k.inputs.map((view) => view.type)
  const element = elementFunction('element', k.expression, types)
  const views = [k.output, ...element.inputs.map((n) => k.inputs[n]!)]
  const { sizes, strides, position } = simplify(k.sizes, views.map((v) => v.strides), new Set(element.indices), 0)
  const bindings = new Bindings()

  const width = aligned(k.output.offset, strides[0]!, sizes.at(-1) ?? 1) ? 4 : 1
  const groups = width === 4 ? [...sizes.slice(0, -1), sizes.at(-1)! / 4] : sizes
  const names = namesOf(groups, 'p')
  const scaled = (view: readonly number[]): readonly number[] =>
    view.map((stride, loop) => loop === view.length - 1 ? stride * width : stride)

  const out = bindings.output(k.output, width)
  const lines: string[] = []
  const texts = new Map<number, (lane: number) => string>()
  element.inputs.forEach((n, at) => {
    const view = k.inputs[n]!
    const own = strides[at + 1]!
    const whole = width === 4 && aligned(view.offset, own, sizes.at(-1) ?? 1)
    texts.set(n, load(lines, bindings, view, scaled(own), names, n, width, whole, innermost(own)))
  })
  const index = (lane: number) => (n: number): string => {
    const loop = position.get(n) ?? null
    const start = k.origin[n]!
    if (loop === null) return constantText(start, 'i32')
    return loop === sizes.length - 1 && width === 4 ? `p${loop} * 4 + ${start + lane}` : `p${loop} + ${start}`
  }
  const value = (lane: number): string => toStored(k.output.type, element.call((n) => texts.get(n)!(lane), undefined, index(lane)))
  const to = offsetText(k.output.offset, names, scaled(strides[0]!))
  lines.push(
    width === 4
      ? `${out}[(${to}) / 4] = vec4<${storedType(k.output.type)}>(${lanes.map((_, lane) => value(lane)).join(', ')});`
      : `${out}[${to}] = ${value(0)};`,
  )

  const count = elementsOf(groups)
  const each = groupsPerThread(shape, count)
  const work = (linear: string) => `var t = ${linear};\n  ${decodeText('t', groups, 'p')}\n  ${lines.join('\n  ')}`
  return shader({
    bindings,
    declarations: [element.text],
    count: Math.ceil(count / each),
    workgroup: 64,
    body: each === 1
      ? work('thread')
      : `for (var g = thread * ${each}u; g < min(thread * ${each}u + ${each}u, ${count}u); g++) {\n  ${work('g')}\n  }`,
  })
}

/** Writes the statement that loads an operand, and gives its text for each lane. */
const load = (
  lines: string[],
  bindings: Bindings,
  view: View,
  strides: readonly number[],
  names: readonly string[],
  n: number,
  width: number,
  whole: boolean,
  inner: number,
): (lane: number) => string => {
  const from = offsetText(view.offset, names, strides)
  if (whole) {
    lines.push(`let v${n} = ${bindings.input(view, 4)}[(${from}) / 4];`)
    return (lane) => fromStored(view.type, `v${n}.${lanes[lane]!}`)
  }
  const buffer = bindings.input(view)
  if (width === 1 || inner === 0) {
    lines.push(`let v${n} = ${fromStored(view.type, `${buffer}[${from}]`)};`)
    return () => `v${n}`
  }
  lines.push(`let o${n} = ${from};`)
  return (lane) => fromStored(view.type, `${buffer}[o${n} + ${lane * inner}]`)
}
