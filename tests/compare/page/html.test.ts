import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { escaped, html, jsonScript } from '#lib/compare/page/html.ts'

describe('html', () => {
  it('lets no text become markup, and loses nothing of it', () => {
    const back = (text: string): string =>
      text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, '&')
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", ';', 'a', 'amp', 'lt') }), (text) => {
      assert.ok(!/[<>"']/.test(escaped(text)))
      assert.equal(back(escaped(text)), text)
    }))
    assert.equal(html`<p title="${'"'}">${'<b>'} ${3} ${[html`<i>${'&'}</i>`]}</p>`.html, '<p title="&quot;">&lt;b&gt; 3 <i>&amp;</i></p>')
  })

  it('writes data that cannot end its script, and that reads as what it was', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.constantFrom('</script>', '<!--', '<script>'), (value, text) => {
      const data = { value, text }
      const [, json] = /^<script type="application\/json" id="x">(.*)<\/script>$/s.exec(jsonScript('x', data).html)!
      assert.ok(!json!.includes('<'))
      assert.deepEqual(JSON.parse(json!), JSON.parse(JSON.stringify(data)))
    }))
  })
})
