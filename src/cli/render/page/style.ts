/** The style of the page. */
import { DARK, LIGHT, paletteCss } from "./palette.js";

const STEPS = LIGHT.steps
  .map((_, i) => `.s${i + 1}{background:var(--s${i + 1});color:var(--t${i + 1})}`)
  .join("\n");

export const STYLE = `
:root{color-scheme:light dark;${paletteCss(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${paletteCss(DARK)}}}
*{box-sizing:border-box}
body{margin:0;padding:2rem clamp(.75rem,4vw,3rem) 4rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere;
print-color-adjust:exact;-webkit-print-color-adjust:exact}
header.page,main{max-width:76rem;margin:0 auto}
.kind{margin:0;color:var(--muted);font-size:.8rem;letter-spacing:.06em;text-transform:uppercase}
h1{margin:.15rem 0 .35rem;font-size:clamp(1.4rem,3.2vw,2.1rem);line-height:1.2;font-weight:650;text-wrap:balance}
h2{margin:0;font-size:1.1rem;line-height:1.35;font-weight:600;flex:1;min-width:0}
a{color:var(--accent)}
code{font:.86em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.facts{margin:0;color:var(--muted);font-size:.875rem}
.note{margin:.6rem 0 0;padding:.4rem .7rem;border-left:3px solid var(--accent);background:var(--card)}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.25rem;align-items:center;margin-top:1.1rem;font-size:.8rem}
.legend .label,.legend label{color:var(--muted)}
.legend label{display:inline-flex;gap:.35rem;align-items:center;cursor:pointer}
.legend input{margin:0;accent-color:var(--accent)}
.scale{display:inline-flex;align-items:center}
.scale .label{margin-right:.5rem}
.scale span:not(.label){padding:.1rem .45rem;font-variant-numeric:tabular-nums}
.scale span:nth-child(2){border-radius:.3rem 0 0 .3rem}
.scale span:last-child{border-radius:0 .3rem .3rem 0}
article{margin:1.25rem 0 0;padding:1rem 1.15rem 1.15rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
article>header{display:flex;gap:.75rem;align-items:baseline}
.rank{color:var(--muted);font-variant-numeric:tabular-nums;min-width:1ch}
.score{font-weight:600;font-variant-numeric:tabular-nums}
article>.facts{margin:.1rem 0 0}
.why{display:grid;grid-template-columns:minmax(0,1fr) minmax(17rem,23rem);gap:1rem 2rem;align-items:start;margin-top:.8rem}
.text{max-height:24rem;overflow:auto;white-space:pre-wrap;max-width:72ch}
article>.text{margin-top:.8rem}
.text .context{margin-bottom:.35rem;font-size:.9em}
mark{background:none;color:inherit}
.text mark,.legend mark{font-weight:600;text-decoration:underline;text-decoration-thickness:2px;text-underline-offset:3px;text-decoration-skip-ink:none}
.text span,.text mark{border-radius:.15rem}
table{border-collapse:collapse}
.pairs{width:100%;max-width:34rem;font-size:.875rem;line-height:1.4}
.pairs th{padding:0 .5rem .3rem 0;text-align:start;font-weight:500;color:var(--muted);border-bottom:1px solid var(--line)}
.pairs td{padding:.18rem .5rem .18rem 0;vertical-align:baseline}
.pairs td:nth-child(2) span{padding:0 .25rem;margin-left:-.25rem;border-radius:.2rem}
.pairs tr:nth-child(1) td{padding-top:.35rem}
.pairs :is(.n,th){white-space:nowrap}
.pairs .n{text-align:end;font-variant-numeric:tabular-nums;width:1%}
.pairs .b{width:28%;padding-right:0}
.pairs small{color:var(--muted)}
.pairs .rest td{color:var(--muted)}
.pairs .sum td{border-top:1px solid var(--line);font-weight:600}
.special,.context{color:var(--muted);font-style:italic}
.bar{display:block;width:100%;height:.5rem}
.f{fill:var(--accent)}
.heat{margin-top:.9rem}
summary{cursor:pointer;color:var(--muted);font-size:.875rem}
.map{margin-top:.5rem;max-height:32rem;overflow:auto;scroll-padding:7rem 0 0 8rem;border:1px solid var(--line);border-radius:.5rem;overscroll-behavior-x:contain}
.map table{border-collapse:separate;border-spacing:0;font-size:.72rem;line-height:1.2}
.map th,.map .corner{background:var(--card);font-weight:500;position:sticky}
.map thead th{top:0;z-index:1;height:6.5rem;padding:.3rem 0;vertical-align:bottom;border-bottom:1px solid var(--line)}
.map thead bdi{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);max-height:6rem;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;line-height:1.6rem}
.map .corner{top:0;left:0;z-index:3;border-right:1px solid var(--line);border-bottom:1px solid var(--line)}
.map tbody th{left:0;z-index:2;max-width:8rem;padding:0 .55rem;text-align:end;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;border-right:1px solid var(--line)}
.map td:not(.corner){width:1.7rem;min-width:1.7rem;height:1.6rem;padding:0;text-align:center;font-variant-numeric:tabular-nums}
.map td:not([class*=s]){color:var(--muted)}
.map th.k{font-weight:700}
.map .c,.chosen{box-shadow:inset 0 0 0 2px var(--ink);font-weight:700;border-radius:.2rem}
.chosen{padding:.1rem .3rem}
.map .on{background:var(--accent);color:var(--card)}
.text .on{outline:2px solid var(--accent);outline-offset:1px}
.map tr.x{display:none}
body:has(#special:checked) .map tr.x{display:table-row}
body:has(#only:checked) .map :is(th[scope=col],td:not(.corner)):not(.k){display:none}
body:has(#only:checked):has(#special:checked) .map .kx{display:table-cell}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.map :focus-visible{outline-offset:-3px}
#tip{position:fixed;z-index:9;max-width:min(20rem,92vw);padding:.3rem .6rem;border-radius:.4rem;background:var(--ink);color:var(--paper);font-size:.8rem;line-height:1.4;pointer-events:none;box-shadow:0 2px 10px #0004}
#tip[hidden]{display:none}
#tip b{font-variant-numeric:tabular-nums}
${STEPS}
@media (max-width:52rem){
body{padding-top:1.25rem}
article{padding:.85rem .85rem 1rem}
.why{grid-template-columns:minmax(0,1fr)}
.map{scroll-padding-left:6rem}
.map tbody th{max-width:6rem}
}
@media print{
:root{${paletteCss({ ...LIGHT, paper: LIGHT.card })};color-scheme:light}
body{padding:0;font-size:.8rem}
article{break-inside:auto;border:0;border-top:1px solid var(--line);border-radius:0;padding:.8rem 0}
article>header,.pairs tr,.legend{break-inside:avoid}
.legend label,#tip{display:none}
.text,.map{max-height:none;overflow:visible;border:0}
.map :is(th[scope=col],td:not(.corner)):not(.k){display:none}
.map th,.map .corner{position:static}
}
`;
