/**
 * Buffers for values that live for a while. While a program is being made each value gets a number; when all lives are
 * known, values that never live at once share buffers. Sizes are in elements; the sum of the buffers is the peak.
 */
export const storage = <Kind>() => {
  const lives: { readonly size: number; readonly kind: Kind; readonly from: number; to: number }[] = []
  const alive = new Set<number>()
  let moment = 0
  let [now, highest] = [0, 0]
  let most: ReadonlyMap<Kind, number> = new Map()

  return {
    /** A number for a value of so many elements that lives from now on. */
    take: (size: number, kind: Kind): number => {
      const value = lives.push({ size, kind, from: moment++, to: Infinity }) - 1
      alive.add(value)
      now += size
      if (now > highest) {
        highest = now
        const kinds = new Map<Kind, number>()
        for (const one of alive) kinds.set(lives[one]!.kind, (kinds.get(lives[one]!.kind) ?? 0) + lives[one]!.size)
        most = kinds
      }
      return value
    },
    /** Ends a life. */
    give: (value: number): void => {
      lives[value]!.to = moment++
      alive.delete(value)
      now -= lives[value]!.size
    },
    /** The elements of each kind at the moment when all together were most. */
    most: (): ReadonlyMap<Kind, number> => most,
    /** The sizes of the buffers, and each value's buffer. */
    assign: () => assign(lives),
  }
}

interface Life {
  readonly size: number
  readonly from: number
  readonly to: number
}

/**
 * The largest values first, each into the smallest buffer that is free for its whole life (greedy by size: Pisarchyk &
 * Lee 2020, section 4.2). A buffer is as large as its first value, so all later ones fit.
 */
const assign = (lives: readonly Life[]): { readonly sizes: readonly number[]; readonly bufferOf: readonly number[] } => {
  const order = lives.map((_, value) => value).sort((a, b) => lives[b]!.size - lives[a]!.size || a - b)
  const buffers: { readonly size: number; readonly lives: Life[] }[] = []
  const bufferOf = new Array<number>(lives.length)
  for (const value of order) {
    const life = lives[value]!
    const isFree = (buffer: typeof buffers[number]): boolean => buffer.lives.every(({ from, to }) => to < life.from || life.to < from)
    let best = -1
    buffers.forEach((buffer, i) => {
      if ((best < 0 || buffer.size < buffers[best]!.size) && isFree(buffer)) best = i
    })
    if (best < 0) best = buffers.push({ size: life.size, lives: [] }) - 1
    buffers[best]!.lives.push(life)
    bufferOf[value] = best
  }
  return { sizes: buffers.map(({ size }) => size), bufferOf }
}
