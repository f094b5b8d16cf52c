import type { Layout, Shape } from '../layout/layout.ts'
import type { DType } from '../dtype.ts'
import { refuse } from './refusal.ts'

/** Reads `b:2 t:16@sp s:1024@?` into a shape and a layout; `what` names the reader in messages. */
export const readSpec = (what: string, spec: string, type: DType): { readonly shape: Shape; readonly layout: Layout } => {
  const parts = spec.trim() === '' ? [] : spec.trim().split(/\s+/)
  const read = parts.map((part) => {
    const [, name, size, axes] = /^([A-Za-z_]\w*):(\d+)(?:@(\?|[A-Za-z_]\w*(?:\+[A-Za-z_]\w*)*))?$/.exec(part) ?? []
    return name === undefined
      ? refuse(`${what}: '${part}' is not of the form dim:size or dim:size@axis`)
      : { name, size: Number(size), cut: axes === undefined ? [] : axes.split('+') }
  })
  const twice = read.find(({ name }, i) => read.findIndex((other) => other.name === name) !== i)
  if (twice !== undefined) refuse(`${what}: dim '${twice.name}' is given twice`)
  return {
    shape: { dims: read.map(({ name, size }) => ({ name, size })), type },
    layout: { cuts: read.map(({ cut }) => cut), pending: [] },
  }
}
