/** How the reference looks: one style for light and dark, for wide screens and narrow ones. */
export const STYLE = `:root{color-scheme:light dark;--ink:light-dark(#1b2027,#e4e7eb);--soft:light-dark(#5b6573,#9aa4b2);--line:light-dark(#e2e6eb,#2b323b);--paper:light-dark(#fff,#12161b);--side:light-dark(#f6f8fa,#171c22);--link:light-dark(#0b5cad,#7cb8ff);--code:light-dark(#f1f3f6,#1f252d);--get:light-dark(#0a7040,#4cc38a);--put:light-dark(#8a5200,#f0b35a);--post:light-dark(#0b5cad,#7cb8ff);--delete:light-dark(#b3261e,#ff8a80)}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;font:15px/1.6 system-ui,sans-serif;color:var(--ink);background:var(--paper);display:grid;grid-template-columns:19rem minmax(0,1fr)}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
nav{position:sticky;top:0;height:100vh;overflow-y:auto;background:var(--side);border-right:1px solid var(--line);padding:1.25rem 1rem 3rem;font-size:.87rem}
nav ul{list-style:none;margin:0;padding:0}nav li li a{display:flex;gap:.5rem;align-items:baseline;padding:.16rem .4rem;border-radius:5px;color:var(--ink)}nav li li a:hover{background:var(--code);text-decoration:none}
.home{font-weight:700;font-size:1.1rem;color:var(--ink);display:block;margin:0 0 .75rem .4rem}
.family{display:block;font-weight:600;color:var(--soft);margin:1rem 0 .25rem;padding:0 .4rem}summary.family{cursor:pointer;display:list-item;list-style-position:inside}
main{padding:2rem clamp(1rem,4vw,3.5rem) 6rem;max-width:68rem;width:100%}
h1{font-size:2rem;line-height:1.2;margin:0}h2{font-size:1.45rem;margin:0 0 .5rem}h3{font-size:1.15rem;margin:0 0 .6rem}h4{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:1.6rem 0 .4rem}
p{margin:.5rem 0;max-width:46rem}.lead{color:var(--soft);font-size:1.05rem}
section{margin-top:3.5rem}article{margin-top:2rem;padding-top:2rem;border-top:1px solid var(--line)}
article:target h3{color:var(--link)}
.anchor{float:left;margin-left:-1.1rem;color:var(--soft);opacity:0}h3:hover .anchor,.anchor:focus{opacity:1}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.88em}
code{background:var(--code);padding:.12em .35em;border-radius:4px;overflow-wrap:anywhere}
pre{background:var(--code);padding:.9rem 1rem;border-radius:8px;overflow-x:auto;line-height:1.5;margin:.4rem 0}pre code{background:none;padding:0;overflow-wrap:normal;user-select:all}
.id{font-weight:400;color:var(--soft);background:none;font-size:.8rem}
.badge{font-size:.72rem;font-weight:500;border:1px solid var(--line);border-radius:99px;padding:.1rem .55rem;color:var(--soft);vertical-align:middle;white-space:nowrap}
.route{display:flex;gap:.6rem;align-items:baseline;background:var(--side);border:1px solid var(--line);border-radius:8px;padding:.5rem .8rem;max-width:none}.route code{background:none;padding:0}var{font-style:normal;color:var(--put)}
.method{font:700 .72rem/1 ui-monospace,SFMono-Regular,Menlo,monospace;flex:none;color:var(--soft)}nav .method{width:2.3rem;text-align:right;font-size:.66rem}.route .method{font-size:.85rem}
.get{color:var(--get)}.put,.patch{color:var(--put)}.post{color:var(--post)}.delete{color:var(--delete)}
.who{color:var(--soft)}.who strong{color:var(--ink);font-weight:500}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.45rem .8rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}th{font-weight:600;color:var(--soft);font-size:.8rem}th:empty{border-bottom:1px solid var(--line)}
td:first-child{white-space:nowrap}td:nth-child(2){min-width:9rem}
.required{color:var(--delete);font-size:.72rem}.type,.limits{color:var(--soft);font-size:.82rem}.ok{color:var(--get)}
.d1{padding-left:1.3rem}.d2{padding-left:2.6rem}.d3{padding-left:3.9rem}.d4{padding-left:5.2rem}.d5{padding-left:6.5rem}.d6{padding-left:7.8rem}
.codes{margin-left:.4rem;font-size:.82rem;font-variant-numeric:tabular-nums}.code{white-space:nowrap;margin-right:.25rem}
details>summary{cursor:pointer;color:var(--link);margin:.3rem 0}details pre{max-height:28rem;overflow:auto}
@media(max-width:60rem){body{display:block}nav{position:static;height:auto;max-height:45vh;border-right:0;border-bottom:1px solid var(--line)}td:first-child{white-space:normal}}
@media print{nav{display:none}body{display:block}}`;
