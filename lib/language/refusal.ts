/**
 * Thrown while a program's body is being traced and caught at the one border where tracing starts, which turns it into
 * a `Refused` fault. Inside `pipe` there is no room for an Either.
 */
export class Refusal extends Error {
  readonly where: string | undefined
  constructor(message: string, where?: string) {
    super(message)
    this.where = where
  }
}

export const refuse = (message: string): never => {
  throw new Refusal(message)
}
