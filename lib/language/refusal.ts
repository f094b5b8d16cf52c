/**
 * Thrown while a program's body is being traced and caught at the one border where tracing starts, which turns it into
 * a `Refused` fault. Inside `pipe` there is no room for an Either.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly where: string | undefined
  constructor(message: string, where?: string) {
    super(message)
    this.where = where
  }
}

/**
 * Whether something thrown is a refusal. By name, since a program may have been loaded beside another copy of this
 * module: from a folder whose `package.json` doesn't say `"type": "module"`, say.
 */
export const isRefusal = (thrown: unknown): thrown is Refusal => thrown instanceof Error && thrown.name === 'Refusal'

/** Runs a part of the trace whose refusals come from the given source line, unless they know better. */
export const atLine = <A>(where: string, run: () => A): A => {
  try {
    return run()
  } catch (thrown) {
    throw isRefusal(thrown) && thrown.where === undefined ? new Refusal(thrown.message, where) : thrown
  }
}

export const refuse = (message: string): never => {
  throw new Refusal(message)
}
