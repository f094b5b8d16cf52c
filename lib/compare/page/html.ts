/** A piece of HTML that may be put into a page as it is. */
export interface Html {
  readonly html: string
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it must be written in HTML, in elements and in quoted attributes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)

/** Holds what must not be escaped: the page's own code and style. */
export const raw = (html: string): Html => ({ html })

type Part = string | number | Html | readonly Html[]

const written = (part: Part): string =>
  typeof part === 'string'
    ? escaped(part)
    : typeof part === 'number'
    ? String(part)
    : 'html' in part
    ? part.html
    : part.map(({ html }) => html).join('')

/** A template in which every text is escaped: names and faults come from programs, and must stay text. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  raw(strings.reduce((text, string, i) => `${text}${written(parts[i - 1]!)}${string}`))

/** Data for a script of the page: JSON that can't end its element. */
export const jsonScript = (id: string, data: unknown): Html =>
  html`<script type="application/json" id="${id}">${raw(JSON.stringify(data).replace(/</g, '\\u003c'))}</script>`
