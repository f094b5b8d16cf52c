import { elementsOf, type GatherKernel } from '#lib/kernel/kernel.ts'
import { aligned, Bindings, decodeText, namesOf, offsetText, type Shader, shader, storedType } from '../emit.ts'
import { innermost, simplify } from '../loops.ts'

/** One thread copies four neighbours of the same id where table and output allow it, else one element. */
export const gatherShader = (k: GatherKernel): Shader => {
  const { sizes, strides } = simplify(k.sizes, [k.output, k.ids, k.table].map((view) => view.strides), new Set(), 0)
  const [toStrides, idStrides, tableStrides] = strides as [readonly number[], readonly number[], readonly number[]]
  const last = sizes.at(-1) ?? 1
  const wide = innermost(idStrides) === 0 && k.step % 4 === 0 &&
    aligned(k.output.offset, toStrides, last) && aligned(k.table.offset, tableStrides, last)
  const width = wide ? 4 : 1
  const groups = wide ? [...sizes.slice(0, -1), last / 4] : sizes
  const names = namesOf(groups, 'p')
  const scaled = (view: readonly number[]): readonly number[] =>
    view.map((stride, loop) => loop === view.length - 1 ? stride * width : stride)
  const at = (text: string): string => wide ? `(${text}) / 4` : text

  const bindings = new Bindings()
  const out = bindings.output(k.output, width)
  const ids = bindings.input(k.ids)
  const table = bindings.input(k.table, width)
  const stored = storedType(k.output.type)
  const element = wide ? `vec4<${stored}>` : stored
  const absent = k.outside === 'NaN' && k.output.type === 'f32' ? `${element}(bitcast<f32>(nan_bits_))` : `${element}(0)`
  const from = offsetText(k.table.offset, [...names, 'id'], [...scaled(tableStrides), k.step])
  return shader({
    bindings,
    declarations: [],
    count: elementsOf(groups),
    workgroup: 64,
    body: `var t = thread;
  ${decodeText('t', groups, 'p')}
  let id = ${ids}[${offsetText(k.ids.offset, names, scaled(idStrides))}];
  var value = ${absent};
  if (id >= 0 && id < ${k.size}) { value = ${table}[${at(from)}]; }
  ${out}[${at(offsetText(k.output.offset, names, scaled(toStrides)))}] = value;`,
  })
}
