/** The picture for README.md: each recorded rate of Deskhand as a multiple of the floor's. */
import type { Recorded } from "./recorded.ts";

const CAPTION = "Throughput, as a multiple of a bare server with one commit per request";
const WIDTH = 720;
const LABEL_WIDTH = 200;
const ROW_HEIGHT = 28;
const HEAD_HEIGHT = 40;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - 70;

/**
 * Returns an SVG with one bar per rate: the median ratio to the floor, and a line over all rounds. It
 * follows the color scheme of the page that shows it.
 */
export function plot({ measures }: Pick<Recorded, "measures">): string {
  const rows = Object.entries(measures).filter(([, { unit }]) => unit === "/s");
  const largest = Math.max(1, ...rows.map(([, { highest }]) => highest));
  const x = (ratio: number) => Math.round(10 * (LABEL_WIDTH + ratio / largest * PLOT_WIDTH)) / 10;
  const height = HEAD_HEIGHT + rows.length * ROW_HEIGHT + 12;
  const bars = rows.map(([name, { ratio, lowest, highest }], i) => {
    const top = HEAD_HEIGHT + i * ROW_HEIGHT;
    const width = Math.round(10 * (x(ratio) - LABEL_WIDTH)) / 10;
    const ends = `M${x(lowest)} ${top + 5}v8M${x(highest)} ${top + 5}v8`;
    return `<text x="${LABEL_WIDTH - 10}" y="${top + 14}" text-anchor="end">${name}</text>
<rect x="${LABEL_WIDTH}" y="${top}" width="${width}" height="18" rx="3"/>
<path d="M${x(lowest)} ${top + 9}H${x(highest)}${ends}"/>
<text x="${x(highest) + 8}" y="${top + 14}">${ratio.toFixed(1)} ×</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${CAPTION}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
rect { fill: #2f5fe0; }
path { stroke: #1f2328; fill: none; }
.floor { stroke: #59636e; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  rect { fill: #5b86f7; }
  path { stroke: #f0f6fc; }
  .floor { stroke: #9198a1; }
}
</style>
<text x="${LABEL_WIDTH}" y="18">${CAPTION}</text>
${bars.join("\n")}
<path class="floor" d="M${x(1)} ${HEAD_HEIGHT - 8}V${height - 8}"/>
</svg>
`;
}
