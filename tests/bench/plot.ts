/** The picture for README.md: each recorded rate of Deskhand as a multiple of the floor's. */
import type { Recorded } from "./recorded.ts";
import { number } from "./report.ts";

const CAPTION = "Throughput, as a multiple of a bare server with one commit per request";
const KEY = "Pale: where a bare server with group commit and Deskhand's duties reaches more";
const WIDTH = 720;
const LABEL_WIDTH = 200;
const ROW_HEIGHT = 28;
const HEAD_HEIGHT = 58;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - 120;

/**
 * Returns an SVG with one bar per rate: the median ratio to the floor, and a line over all rounds. A
 * pale bar shows equal duties. It follows the color scheme of the page that shows it.
 */
export function plot({ measures }: Pick<Recorded, "measures">): string {
  const rows = Object.entries(measures).filter(([, { unit }]) => unit === "/s");
  const largest = Math.max(1, ...rows.flatMap(([, { highest, duties = 0 }]) => [highest, duties]));
  const x = (ratio: number) => Math.round(10 * (LABEL_WIDTH + ratio / largest * PLOT_WIDTH)) / 10;
  const height = HEAD_HEIGHT + rows.length * ROW_HEIGHT + 12;
  const bars = rows.map(([name, { ratio, lowest, highest, duties, deskhand }], i) => {
    const top = HEAD_HEIGHT + i * ROW_HEIGHT;
    const bar = (ratio: number, attributes: string) => {
      const width = Math.round(10 * (x(ratio) - LABEL_WIDTH)) / 10;
      return `<rect x="${LABEL_WIDTH}" y="${top}" width="${width}" height="18" rx="3"${attributes}/>`;
    };
    const pale = duties === undefined ? "" : `${bar(duties, ' class="pale"')}\n`;
    const end = Math.max(x(highest), x(duties ?? 0)) + 8;
    const ends = `M${x(lowest)} ${top + 5}v8M${x(highest)} ${top + 5}v8`;
    return `<text x="${LABEL_WIDTH - 10}" y="${top + 14}" text-anchor="end">${name}</text>
${pale}${bar(ratio, "")}
<path d="M${x(lowest)} ${top + 9}H${x(highest)}${ends}"/>
<text x="${end}" y="${top + 14}">${number(deskhand)}/s, ${ratio.toFixed(1)} ×</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${CAPTION}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
rect { fill: #2f5fe0; }
path { stroke: #1f2328; fill: none; }
.pale { opacity: 0.3; }
.floor { stroke: #59636e; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  rect { fill: #5b86f7; }
  path { stroke: #f0f6fc; }
  .floor { stroke: #9198a1; }
}
</style>
<text x="${LABEL_WIDTH}" y="18">${CAPTION}</text>
<text x="${LABEL_WIDTH}" y="38">${KEY}</text>
${bars.join("\n")}
<path class="floor" d="M${x(1)} ${HEAD_HEIGHT - 8}V${height - 8}"/>
</svg>
`;
}
