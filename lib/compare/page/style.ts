/**
 * How the page looks, light and dark. Looks are the colours of bars, at least 3 : 1 against the ground in both; each has a
 * pattern of its own as well (page/browser.ts), so that nothing is told by colour alone.
 */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f6f7f9; --text: #1a1d21; --quiet: #5a626d; --line: #d5d9df; --alarm: #b3261e;
  --look-0: #1f6fb5; --look-1: #a86200; --look-2: #c2410c; --look-3: #7a828e;
  --look-4: #0b8059; --look-5: #8a4fa8; --look-6: #b5376f; --look-7: #4b7a1d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2126; --text: #e7eaee; --quiet: #a3abb6; --line: #363c45; --alarm: #ff8a80;
    --look-0: #5ba9ee; --look-1: #e6a23c; --look-2: #ff7f50; --look-3: #8f98a5;
    --look-4: #3cc495; --look-5: #c08be0; --look-6: #f27aab; --look-7: #9bc95f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, 'Open Sans', sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 8px 0; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 4px; }
h3 { font-size: 15px; margin: 28px 0 4px; overflow-wrap: anywhere; }
p { margin: 4px 0; max-width: 75ch; }
.quiet { color: var(--quiet); font-size: 14px; overflow-wrap: anywhere; }
.alarm { color: var(--alarm); }
.scroll { overflow-x: auto; margin: 8px 0; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-weight: 600; color: var(--quiet); background: var(--raised); }
th:first-child, td.refusal { text-align: left; }
tbody th { font-weight: 600; }
th:first-child { position: sticky; left: 0; }
tbody th { background: var(--ground); }
td.refusal { white-space: normal; min-width: 18em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 14px; }
dt { font-weight: 600; }
dd { margin: 0; color: var(--quiet); }
details summary { cursor: pointer; color: var(--quiet); font-size: 14px; }
ul { padding-left: 20px; margin: 4px 0; font-size: 14px; }
li { overflow-wrap: anywhere; }
.chart { position: relative; width: 100%; }
.chart canvas { touch-action: pan-y; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0 4px; padding: 0; list-style: none; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend canvas { width: 26px; height: 14px; border-radius: 3px; }
button {
  font: inherit; font-size: 13px; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 6px;
  padding: 2px 10px; cursor: pointer;
}
button:disabled { visibility: hidden; }
@media (max-width: 600px) {
  main { padding: 12px 14px 48px; }
  tbody th { white-space: normal; min-width: 9em; max-width: 40vw; overflow-wrap: anywhere; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 8px; }
}
`
