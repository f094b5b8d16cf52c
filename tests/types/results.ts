import ts from 'typescript'
import { printPending, printSpec } from '#lib/layout/layout.ts'
import type { Traced } from '#lib/language/trace.ts'
import type { Written } from './corpus.ts'

/** The types that an editor shows for the tensors which the body of a program gives back, in their order. */
export const resultTypes = (compiler: ts.Program, { file, name }: Written): readonly string[] => {
  const checker = compiler.getTypeChecker()
  const body = bodyOf(compiler.getSourceFile(file)!, name)
  const signature = checker.getSignatureFromDeclaration(body)
  if (signature === undefined) throw new Error(`${name} has no body`)
  const leaves = (type: ts.Type): readonly string[] => {
    if (type.getProperty('spec') !== undefined) return [checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation)]
    // What a parameter becomes is no tensor.
    if (type.getSymbol()?.getName() === 'Change') return []
    const parts = checker.isTupleType(type)
      ? checker.getTypeArguments(type as ts.TypeReference)
      : checker.isArrayType(type)
      ? checker.getTypeArguments(type as ts.TypeReference)
      : type.getProperties().map((property) => checker.getTypeOfSymbol(property))
    return parts.flatMap(leaves)
  }
  return leaves(signature.getReturnType())
}

/** The function that is the last argument of `export const name = program(…)`. */
const bodyOf = (source: ts.SourceFile, name: string): ts.SignatureDeclaration => {
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name: found, initializer } of statement.declarationList.declarations) {
      if (found.getText() !== name || initializer === undefined || !ts.isCallExpression(initializer)) continue
      const body = initializer.arguments.at(-1)
      if (body !== undefined && ts.isArrowFunction(body)) return body
    }
  }
  throw new Error(`there is no program ${name} in ${source.fileName}`)
}

/** What they should be: plain tensors that say all that the trace made of them, and no name of a helper type. */
export const shown = ({ outputs, mesh }: Traced): readonly string[] =>
  outputs.map(({ node: { shape, layout, mesh: of } }) =>
    `Tensor<"${printSpec(shape, layout)}", "${printPending(layout.pending)}", ${
      of === undefined ? 'string' : `"${mesh.text}"`
    }, "${shape.type}">`
  )
