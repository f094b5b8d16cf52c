import { wgslPrelude } from '#lib/kernel/scalar.ts'

/** The functions of the prelude by name, and the names of those that each calls. A driver compiles only what a shader needs. */
const functions: ReadonlyMap<string, { readonly text: string; readonly calls: readonly string[] }> = new Map(
  wgslPrelude.split(/^(?=fn )/m).flatMap((part) => {
    const name = /^fn (\w+)/.exec(part)?.[1]
    return name === undefined
      ? []
      : [[name, { text: part.replace(/^\/\/.*\n/gm, ''), calls: callsIn(part).filter((other) => other !== name) }]]
  }),
)

/** Names that end in `_` and are called. */
function callsIn(text: string): readonly string[] {
  return [...new Set(Array.from(text.matchAll(/\b([a-z]\w*_)\(/g), (match) => match[1]!))]
}

/** The scalar functions that a shader's text calls, and those that they call. */
export const preludeFor = (text: string): string => {
  const needed = new Set<string>()
  const open = [...callsIn(text)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name)) continue
    const known = functions.get(name)
    if (known === undefined) continue
    needed.add(name)
    open.push(...known.calls)
  }
  return [...functions].flatMap(([name, { text }]) => needed.has(name) ? [text] : []).join('')
}
